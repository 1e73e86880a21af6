/* The build id that the linker left in a note of the loaded file (ELF gABI, "Note Section"; NT_GNU_BUILD_ID). */
#include "build_id.h"
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "gnomon/base.h"

typedef struct search {
    uintptr_t here;
    char *out;
    size_t capacity;
    bool found;
} search;

static size_t padded(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

static bool read_note(search *s, const char *at, size_t size)
{
    while (size >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        memcpy(&note, at, sizeof note);
        const size_t whole = sizeof note + padded(note.n_namesz) + padded(note.n_descsz);
        if (whole > size) return false;
        const unsigned char *id = (const unsigned char *)at + sizeof note + padded(note.n_namesz);
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !memcmp(at + sizeof note, "GNU", 4)) {
            for (size_t i = 0; i < note.n_descsz && 2 * i + 3 <= s->capacity; i++)
                snprintf(s->out + 2 * i, 3, "%02x", id[i]);
            return true;
        }
        at += whole, size -= whole;
    }
    return false;
}

static void use_file(search *s, const char *path)
{
    struct stat st;
    if (stat(path && *path ? path : "/proc/self/exe", &st)) memset(&st, 0, sizeof st);
    snprintf(s->out, s->capacity, "file %lld %lld.%09ld", (long long)st.st_size, (long long)st.st_mtim.tv_sec,
             st.st_mtim.tv_nsec);
}

static int visit(struct dl_phdr_info *info, size_t size, void *arg)
{
    search *s = arg;
    (void)size;
    bool mine = false;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        const uintptr_t start = info->dlpi_addr + p->p_vaddr;
        mine |= p->p_type == PT_LOAD && s->here >= start && s->here - start < p->p_memsz;
    }
    if (!mine) return 0;
    for (int i = 0; i < info->dlpi_phnum && !s->found; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_NOTE) s->found = read_note(s, (const char *)(info->dlpi_addr + p->p_vaddr), p->p_memsz);
    }
    if (!s->found) use_file(s, info->dlpi_name);
    return s->found = true;
}

void gn_build_id(char *out, size_t capacity)
{
    search s = { (uintptr_t)&visit, out, capacity, false };
    snprintf(out, capacity, "unknown");
    dl_iterate_phdr(visit, &s);
}
