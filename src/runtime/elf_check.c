/* ELF shared objects, as far as the loader reads them: System V ABI, "Object Files" and "Dynamic Linking"; the GNU hash
 * table as in binutils. Everything is copied out before it is looked at, since offsets of a bad file need not be
 * aligned. */
#include "elf_check.h"
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include "error.h"

#if defined(__x86_64__)
#define GN_ELF_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define GN_ELF_MACHINE EM_AARCH64
#endif

typedef struct image {
    const char *bytes;
    size_t size;
    ElfW(Ehdr) head;
    ElfW(Addr) dynamic[64];      /* values by tag; further tags are of no concern here */
    uint64_t has;                /* bit per tag */
    ElfW(Xword) gnu_hash;
    bool has_gnu_hash;
    size_t nsyms;
} image;

static bool lies_within(uint64_t at, uint64_t size, uint64_t whole)
{
    return at <= whole && size <= whole - at;
}

static gn_status bad(const char *what)
{
    return gn_error(GN_EFORMAT, "%s", what);
}

static ElfW(Phdr) segment(const image *f, size_t i)
{
    ElfW(Phdr) p;
    memcpy(&p, f->bytes + f->head.e_phoff + i * sizeof p, sizeof p);
    return p;
}

/* The bytes of the file that are mapped at an address; NULL: not all `size` of them. */
static const char *mapped(const image *f, uint64_t address, uint64_t size)
{
    for (size_t i = 0; i < f->head.e_phnum; i++) {
        const ElfW(Phdr) p = segment(f, i);
        if (p.p_type == PT_LOAD && address >= p.p_vaddr && lies_within(address - p.p_vaddr, size, p.p_filesz))
            return f->bytes + p.p_offset + (address - p.p_vaddr);
    }
    return NULL;
}

static bool in_memory(const image *f, uint64_t address, uint64_t size)
{
    for (size_t i = 0; i < f->head.e_phnum; i++) {
        const ElfW(Phdr) p = segment(f, i);
        if (p.p_type == PT_LOAD && address >= p.p_vaddr && lies_within(address - p.p_vaddr, size, p.p_memsz)) return true;
    }
    return false;
}

static gn_status check_head(image *f)
{
    ElfW(Ehdr) *h = &f->head;
    const int class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32,
              order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    if (f->size < sizeof *h || memcmp(f->bytes, ELFMAG, SELFMAG)) return bad("it is no ELF file");
    memcpy(h, f->bytes, sizeof *h);
    if (h->e_ident[EI_CLASS] != class || h->e_ident[EI_DATA] != order || h->e_type != ET_DYN)
        return bad("it is no shared object of this machine");
#if defined(GN_ELF_MACHINE)
    if (h->e_machine != GN_ELF_MACHINE) return bad("it is no shared object of this machine");
#endif
    if (h->e_phentsize != sizeof(ElfW(Phdr)) ||
        !lies_within(h->e_phoff, (uint64_t)h->e_phnum * sizeof(ElfW(Phdr)), f->size))
        return bad("its program headers lie outside it");
    if (h->e_shnum && (h->e_shentsize != sizeof(ElfW(Shdr)) ||
                       !lies_within(h->e_shoff, (uint64_t)h->e_shnum * sizeof(ElfW(Shdr)), f->size)))
        return bad("its section headers lie outside it");
    return GN_OK;
}

static gn_status check_sections(const image *f)
{
    for (size_t i = 0; i < f->head.e_shnum; i++) {
        ElfW(Shdr) s;
        memcpy(&s, f->bytes + f->head.e_shoff + i * sizeof s, sizeof s);
        if (s.sh_type != SHT_NOBITS && !lies_within(s.sh_offset, s.sh_size, f->size))
            return bad("a section lies outside it");
    }
    return GN_OK;
}

static gn_status check_segments(const image *f, ElfW(Phdr) *dynamic)
{
    enum { PAGE = 4096 };
    const uint64_t most = (uint64_t)1 << 40;
    uint64_t end = 0;
    dynamic->p_type = PT_NULL;
    for (size_t i = 0; i < f->head.e_phnum; i++) {
        const ElfW(Phdr) p = segment(f, i);
        if (!lies_within(p.p_offset, p.p_filesz, f->size)) return bad("a segment lies outside it");
        if (p.p_type == PT_DYNAMIC) *dynamic = p;
        if (p.p_type != PT_LOAD) continue;
        if (p.p_filesz > p.p_memsz || p.p_vaddr < end || !lies_within(p.p_vaddr, p.p_memsz, most) ||
            (p.p_vaddr - p.p_offset) % PAGE)
            return bad("a segment's place in memory is wrong");
        end = p.p_vaddr + p.p_memsz;
    }
    return dynamic->p_type == PT_DYNAMIC && end ? GN_OK : bad("it has nothing to load");
}

static gn_status read_dynamic(image *f, const ElfW(Phdr) *p)
{
    const char *at = mapped(f, p->p_vaddr, p->p_filesz);
    if (!at) return bad("its dynamic section is not loaded");
    for (size_t i = 0; i < p->p_filesz / sizeof(ElfW(Dyn)); i++) {
        ElfW(Dyn) d;
        memcpy(&d, at + i * sizeof d, sizeof d);
        if (d.d_tag == DT_NULL) return GN_OK;
        if (d.d_tag == DT_GNU_HASH) f->gnu_hash = d.d_un.d_val, f->has_gnu_hash = true;
        if (d.d_tag < 0 || d.d_tag >= 64) continue;
        f->dynamic[d.d_tag] = d.d_un.d_val;
        f->has |= (uint64_t)1 << d.d_tag;
    }
    return bad("its dynamic section has no end");
}

static bool has(const image *f, int tag)
{
    return f->has >> tag & 1;
}

/* A table may be absent; if it is there, all of it must be mapped from the file. */
static bool table_is_good(const image *f, int tag, int size_tag)
{
    return !has(f, tag) || (has(f, size_tag) && mapped(f, f->dynamic[tag], f->dynamic[size_tag]));
}

static uint32_t word(const char *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

/* The last symbol is the end of the longest chain. */
static gn_status count_gnu(image *f)
{
    const char *h = mapped(f, f->gnu_hash, 16);
    const uint32_t nbuckets = h ? word(h) : 0, first = h ? word(h + 4) : 0, bloom = h ? word(h + 8) : 0;
    if (!nbuckets || !bloom || (bloom & (bloom - 1))) return bad("its hash table is empty");
    const uint64_t buckets = f->gnu_hash + 16 + (uint64_t)bloom * sizeof(ElfW(Addr)),
                   chains = buckets + 4 * (uint64_t)nbuckets;
    uint32_t last = 0;
    const char *b = mapped(f, f->gnu_hash, chains - f->gnu_hash) ? mapped(f, buckets, 4 * (uint64_t)nbuckets) : NULL;
    for (uint32_t i = 0; b && i < nbuckets; i++) last = word(b + (size_t)4 * i) > last ? word(b + (size_t)4 * i) : last;
    f->nsyms = first;
    for (; b && last >= first; last++) {
        const char *c = mapped(f, chains + 4 * (uint64_t)(last - first), 4);
        if (!c) return bad("its hash table has no end");
        f->nsyms = (size_t)last + 1;
        if (word(c) & 1) break;
    }
    return b ? GN_OK : bad("its hash table lies outside it");
}

static gn_status count_sysv(image *f)
{
    const char *h = mapped(f, f->dynamic[DT_HASH], 8);
    const uint64_t nbuckets = h ? word(h) : 0, nchains = h ? word(h + 4) : 0;
    const char *all = nbuckets ? mapped(f, f->dynamic[DT_HASH], 8 + 4 * (nbuckets + nchains)) : NULL;
    if (!all) return bad("its hash table lies outside it");
    for (uint64_t i = 0; i < nbuckets + nchains; i++)
        if (word(all + 8 + 4 * i) >= nchains) return bad("its hash table points outside");
    f->nsyms = f->nsyms > nchains ? f->nsyms : nchains;
    return GN_OK;
}

static gn_status check_symbols(image *f)
{
    const char *names =
        has(f, DT_STRTAB) && has(f, DT_STRSZ) ? mapped(f, f->dynamic[DT_STRTAB], f->dynamic[DT_STRSZ]) : NULL;
    if (!names || !f->dynamic[DT_STRSZ] || names[f->dynamic[DT_STRSZ] - 1]) return bad("its table of names is wrong");
    if (!has(f, DT_HASH) && !f->has_gnu_hash) return bad("it has no hash table");
    gn_status s = f->has_gnu_hash ? count_gnu(f) : GN_OK;
    if (!s && has(f, DT_HASH)) s = count_sysv(f);
    if (s) return s;
    const char *at = has(f, DT_SYMTAB) ? mapped(f, f->dynamic[DT_SYMTAB], (uint64_t)f->nsyms * sizeof(ElfW(Sym))) : NULL;
    for (size_t i = 0; at && i < f->nsyms; i++) {
        ElfW(Sym) y;
        memcpy(&y, at + i * sizeof y, sizeof y);
        if (y.st_name >= f->dynamic[DT_STRSZ]) return bad("a symbol has no name");
        if (y.st_shndx != SHN_UNDEF && y.st_shndx != SHN_ABS && ELF64_ST_TYPE(y.st_info) != STT_TLS &&
            !in_memory(f, y.st_value, 0))
            return bad("a symbol points outside");
    }
    return at ? GN_OK : bad("its symbols lie outside it");
}

static gn_status check_relocations(const image *f, int table, int size_tag)
{
    if (!has(f, table)) return GN_OK;
    const char *at = mapped(f, f->dynamic[table], f->dynamic[size_tag]);
    for (size_t i = 0; at && i < f->dynamic[size_tag] / sizeof(ElfW(Rela)); i++) {
        ElfW(Rela) r;
        memcpy(&r, at + i * sizeof r, sizeof r);
        if (ELF64_R_SYM(r.r_info) &&
            !mapped(f, f->dynamic[DT_SYMTAB] + ELF64_R_SYM(r.r_info) * sizeof(ElfW(Sym)), sizeof(ElfW(Sym))))
            return bad("a relocation names no symbol"); /* undefined ones come before those in the hash table */
        if (!in_memory(f, r.r_offset, sizeof(ElfW(Addr)))) return bad("a relocation points outside");
    }
    return at ? GN_OK : bad("its relocations lie outside it");
}

static gn_status check(image *f)
{
    ElfW(Phdr) dynamic;
    gn_status s = check_head(f);
    if (!s) s = check_sections(f);
    if (!s) s = check_segments(f, &dynamic);
    if (!s) s = read_dynamic(f, &dynamic);
    if (!s) s = check_symbols(f);
    if (!s && !table_is_good(f, DT_INIT_ARRAY, DT_INIT_ARRAYSZ)) s = bad("its table of constructors lies outside it");
    if (!s && !table_is_good(f, DT_FINI_ARRAY, DT_FINI_ARRAYSZ)) s = bad("its table of destructors lies outside it");
    if (!s) s = check_relocations(f, DT_RELA, DT_RELASZ);
    return s ? s : check_relocations(f, DT_JMPREL, DT_PLTRELSZ);
}

gn_status gn_elf_check(const void *bytes, size_t size)
{
    return check(&(image){ .bytes = bytes, .size = size });
}

gn_status gn_elf_check_code(const void *bytes, size_t size)
{
    image f = { .bytes = bytes, .size = size };
    const gn_status s = check(&f);
    return s || !has(&f, DT_SONAME)
               ? s
               : bad("it has a name of its own (soname), under which the loader would give it to others");
}

size_t gn_elf_needs(const void *bytes, size_t size, const char *names[], size_t capacity, const char **runpath)
{
    image f = { .bytes = bytes, .size = size };
    ElfW(Phdr) dynamic;
    size_t n = 0;
    *runpath = NULL;
    if (check_head(&f) || check_segments(&f, &dynamic) || read_dynamic(&f, &dynamic)) return 0;
    const uint64_t length = f.dynamic[DT_STRSZ];
    const char *text = has(&f, DT_STRTAB) && has(&f, DT_STRSZ) ? mapped(&f, f.dynamic[DT_STRTAB], length) : NULL;
    if (!text || !length || text[length - 1]) return 0;
    const char *at = mapped(&f, dynamic.p_vaddr, dynamic.p_filesz);
    for (size_t i = 0; i < dynamic.p_filesz / sizeof(ElfW(Dyn)); i++) {
        ElfW(Dyn) d;
        memcpy(&d, at + i * sizeof d, sizeof d);
        if (d.d_tag == DT_NULL) break;
        if (d.d_un.d_val >= length) continue;
        if (d.d_tag == DT_NEEDED && n < capacity) names[n++] = text + d.d_un.d_val;
        if (d.d_tag == DT_RUNPATH || d.d_tag == DT_RPATH) *runpath = text + d.d_un.d_val;
    }
    return n;
}
