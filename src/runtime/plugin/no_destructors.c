/* LLVM's static objects are not destroyed as the process exits. Handlers for that run on the thread that exits while
 * another may be in the middle of a compile, or in the middle of loading the plug-in; they would take from it what it
 * works with. The memory goes with the process.
 *
 * Static objects register their destructors with __cxa_atexit, which a library calls through a slot of its table of
 * jumps (System V ABI, "Procedure Linkage Table"). The slots of the compiler's libraries are pointed elsewhere before
 * the first constructor runs: in the resolver of an indirect function, which the loader calls while it relocates this
 * file, after it relocated those. */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#if defined(__GLIBC__)

void gn_plugin_leave_statics(void);

/* Called through data, which is complete when the resolver runs, as the table of jumps need not be. */
static int (*const volatile iterate)(int (*)(struct dl_phdr_info *, size_t, void *), void *) = dl_iterate_phdr;
static int (*const volatile protect)(void *, size_t, int) = mprotect;

static int register_nothing(void (*function)(void *), void *arg, void *library)
{
    (void)function, (void)arg, (void)library;
    return 0;
}

typedef struct tables {
    const ElfW(Rela) *jumps;
    size_t njumps;
    const ElfW(Sym) *symbols;
    const char *names;
} tables;

static bool begins(const char *text, const char *with)
{
    while (*with && *text == *with) text++, with++;
    return !*with;
}

static bool is_compiler(const char *path)
{
    const char *name = path;
    for (const char *p = path; *p; p++)
        if (*p == '/') name = p + 1;
    return begins(name, "libLLVM") || begins(name, "libclang") || begins(name, "liblld") || begins(name, "gnomon-clang");
}

/* glibc has put addresses where the file has offsets, or has not yet. */
static const void *address(const struct dl_phdr_info *info, uintptr_t value)
{
    return (const void *)(value < info->dlpi_addr ? value + info->dlpi_addr : value);
}

static bool find_tables(const struct dl_phdr_info *info, tables *t)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
        for (const ElfW(Dyn) *d = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr); d->d_tag != DT_NULL; d++) {
            if (d->d_tag == DT_PLTREL && d->d_un.d_val != DT_RELA) return false;
            if (d->d_tag == DT_JMPREL) t->jumps = address(info, d->d_un.d_ptr);
            if (d->d_tag == DT_PLTRELSZ) t->njumps = d->d_un.d_val / sizeof *t->jumps;
            if (d->d_tag == DT_SYMTAB) t->symbols = address(info, d->d_un.d_ptr);
            if (d->d_tag == DT_STRTAB) t->names = address(info, d->d_un.d_ptr);
        }
    }
    return t->jumps && t->symbols && t->names;
}

static bool is_sealed(const struct dl_phdr_info *info, uintptr_t at)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_GNU_RELRO && at - info->dlpi_addr >= p->p_vaddr &&
            at - info->dlpi_addr < p->p_vaddr + p->p_memsz)
            return true;
    }
    return false;
}

static void redirect(const struct dl_phdr_info *info, uintptr_t at)
{
    enum { PAGE = 4096 };
    void *page = (void *)(at & ~(uintptr_t)(PAGE - 1));
    const bool sealed = is_sealed(info, at);
    if (sealed && protect(page, PAGE, PROT_READ | PROT_WRITE)) return;
    *(uintptr_t *)at = (uintptr_t)register_nothing;
    if (sealed) protect(page, PAGE, PROT_READ);
}

static int visit(struct dl_phdr_info *info, size_t size, void *arg)
{
    tables t = { NULL, 0, NULL, NULL };
    (void)size, (void)arg;
    if (!info->dlpi_name || !is_compiler(info->dlpi_name) || !find_tables(info, &t)) return 0;
    for (size_t i = 0; i < t.njumps; i++) {
        const char *name = t.names + t.symbols[ELF64_R_SYM(t.jumps[i].r_info)].st_name;
        if (begins(name, "__cxa_atexit") && !name[12]) redirect(info, info->dlpi_addr + t.jumps[i].r_offset);
    }
    return 0;
}

static void nothing(void)
{
}

static void (*resolve(void))(void)
{
    iterate(visit, NULL);
    return nothing;
}

void gn_plugin_leave_statics(void) __attribute__((ifunc("resolve"), visibility("hidden")));

/* The call is what makes the loader ask the resolver. */
void gn_plugin_statics_stay(void);
__attribute__((visibility("hidden"))) void gn_plugin_statics_stay(void)
{
    gn_plugin_leave_statics();
}
#endif
