/* A directory of a test's own, and files in it. */
#pragma once
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "testlib.h"

static char temp_dir[64];

static inline int temp_setup(void **state)
{
    (void)state;
    strcpy(temp_dir, "/tmp/gnomon-test-XXXXXX");
    return mkdtemp(temp_dir) ? 0 : -1;
}

/* How many entries the directory has: a writer must leave nothing beside its file. */
static inline int temp_entries(void)
{
    DIR *d = opendir(temp_dir);
    int n = 0;
    for (struct dirent *e; d && (e = readdir(d));) n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    if (d) closedir(d);
    return n;
}

/* One of four buffers in turn. */
static inline const char *temp_path(const char *name)
{
    static char path[4][400];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", temp_dir, name);
    return path[turn];
}

static inline int temp_teardown(void **state)
{
    (void)state;
    DIR *d = opendir(temp_dir);
    for (struct dirent *e; d && (e = readdir(d));) unlink(temp_path(e->d_name));
    if (d) closedir(d);
    return rmdir(temp_dir);
}

static inline const char *temp_write(const char *name, const void *data, size_t size)
{
    const char *path = temp_path(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
    return path;
}

/* The bytes of a file; the caller frees them. */
static inline char *temp_read(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    char *data = malloc(*size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *size, f), *size);
    data[*size] = 0;
    fclose(f);
    return data;
}
