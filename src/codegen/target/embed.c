/* Runs in the build: prints each file NAME.prelude as the C string gn_prelude_NAME. */
#include <stdio.h>
#include <string.h>

static int embed(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f)
        return perror(path), 1;
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    printf("const char gn_prelude_%.*s[] =\n    \"", (int)strcspn(base, "."), base);
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
    printf("#include \"preludes.h\"\n\n");
    for (int i = 1; i < argc; i++)
        if (embed(argv[i]))
            return 1;
    return 0;
}
