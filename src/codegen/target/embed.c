/* Runs in the build: embed HEADER PREFIX FILE... prints each file NAME.anything as the C string PREFIXNAME, which the
 * header declares. */
#include <stdio.h>
#include <string.h>

static int embed(const char *prefix, const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f)
        return perror(path), 1;
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    printf("const char %s%.*s[] =\n    \"", prefix, (int)strcspn(base, "."), base);
    int c, last = '\n';
    for (; (c = getc(f)) != EOF; last = c) {
        if (last == '\n' && ftell(f) > 1)
            printf("\"\n    \"");
        if (c == '"' || c == '\\')
            putchar('\\');
        if (c == '\n')
            printf("\\n");
        else
            putchar(c);
    }
    printf("\";\n\n");
    return fclose(f);
}

int main(int argc, char **argv)
{
    if (argc < 3) return 2;
    printf("#include \"%s\"\n\n", argv[1]);
    for (int i = 3; i < argc; i++)
        if (embed(argv[2], argv[i]))
            return 1;
    return 0;
}
