#define _GNU_SOURCE
#include "image.h"
#include "scratch.h"
#include "zygote.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_REGIONS 512
#define PAGE ((size_t)4096)
#define HUGE_PAGE ((size_t)2 << 20)

typedef struct {
    char *start, *end;
    unsigned long file; /* inode, 0 for none */
    bool code;
} Region;

/* What goes on the memory file, and the stretches of code: a library's code with the constants around it. */
static Region regions[MOST_REGIONS], codes[MOST_REGIONS];
static size_t count, code_count;

static bool ours(const char *start) {
    return start == zygote.job || start == zygote.in || start == zygote.out || start == (char *)zygote.head ||
           scratch_is(start);
}

static void keep_code(const Region *now) {
    Region *last = code_count ? &codes[code_count - 1] : NULL;
    if (last && last->end == now->start && last->file == now->file) {
        last->end = now->end;
        last->code |= now->code;
    } else if (code_count < MOST_REGIONS) {
        codes[code_count++] = *now;
    }
}

/* Parse one line of smaps: a region's header, or one of the counters that follow it. */
static void parse(const char *line, Region *now, bool *wanted, bool *writable) {
    unsigned long start, end, offset, inode, kb;
    char perms[8], path[256] = "";
    unsigned int major, minor;
    if (sscanf(line, "%lx-%lx %7s %lx %x:%x %lu %255s", &start, &end, perms, &offset, &major, &minor, &inode, path) >= 7) {
        *now = (Region){(char *)start, (char *)end, inode, perms[2] == 'x'};
        bool special = path[0] == '[' && strcmp(path, "[heap]");
        *wanted = perms[0] == 'r' && perms[3] == 'p' && !special && !ours(now->start);
        *writable = perms[1] == 'w';
    } else if (*wanted && sscanf(line, "Anonymous: %lu kB", &kb) == 1) {
        *wanted = false;
        /* Read-only pages count if they were written once, as relocated data was: they too would be copied. */
        if (!now->code && (kb || *writable)) {
            if (count < MOST_REGIONS)
                regions[count++] = *now;
        } else if (now->file) {
            keep_code(now);
        }
    }
}

static int list_regions(int smaps) {
    /* Not from the heap, which is about to be replaced. */
    size_t size = (size_t)4 << 20, used = 0;
    char *text = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (text == MAP_FAILED)
        return -1;
    ssize_t got;
    while (used < size - 1 && (got = pread(smaps, text + used, size - 1 - used, (off_t)used)) > 0)
        used += (size_t)got;
    text[used] = 0;
    count = code_count = 0;
    Region now = {0};
    bool wanted = false, writable = false;
    for (char *line = text, *stop; (stop = strchr(line, '\n')); line = stop + 1) {
        *stop = 0;
        parse(line, &now, &wanted, &writable);
    }
    munmap(text, size);
    for (size_t index = 0; index < count; index++)
        if (regions[index].start == text)
            regions[index] = regions[--count];
    return 0;
}

static char *shared; /* the whole memory file, while it may still be written */
static int file = -1;

/* Copy every region to the file, then map the file over it. Between the two nothing but the stack may change,
 * so there is no library call, and no write to a variable of ours. */
static void replace(void) {
    size_t offset = 0;
    for (size_t index = 0; index < count; index++) {
        size_t size = (size_t)(regions[index].end - regions[index].start);
        memcpy(shared + offset, regions[index].start, size);
        offset += size;
    }
    offset = 0;
    for (size_t index = 0; index < count; index++) {
        size_t size = (size_t)(regions[index].end - regions[index].start);
        if (mmap(regions[index].start, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file, (off_t)offset) ==
            MAP_FAILED)
            abort(); /* half an image cannot go on */
        offset += size;
    }
}

static size_t total(void) {
    size_t bytes = 0;
    for (size_t index = 0; index < count; index++)
        bytes += (size_t)(regions[index].end - regions[index].start);
    return bytes;
}

long image_take(int smaps) {
    if (list_regions(smaps))
        return -1;
    size_t bytes = total();
    file = (int)syscall(SYS_memfd_create, "", 1 /* MFD_CLOEXEC */);
    if (file < 0 || ftruncate(file, (off_t)bytes))
        return -1;
    shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (shared == MAP_FAILED) {
        shared = NULL;
        return -1;
    }
    replace();
    return (long)bytes;
}

void image_renew(void) {
    if (!shared)
        return;
    replace();
    munmap(shared, total());
    shared = NULL;
    close(file);
}

static size_t add_page(size_t page, size_t (*ranges)[2], size_t found, size_t most) {
    if (found && ranges[found - 1][0] + ranges[found - 1][1] == page)
        ranges[found - 1][1] += PAGE;
    else if (found < most)
        ranges[found][0] = page, ranges[found++][1] = PAGE;
    return found;
}

/* Add the pages of a region that this process has mapped. */
static size_t add_mapped(int pagemap, const Region *region, size_t (*ranges)[2], size_t found, size_t most) {
    uint64_t entries[512];
    for (char *at = region->start; at < region->end;) {
        size_t pages = (size_t)(region->end - at) / PAGE;
        if (pages > 512)
            pages = 512;
        if (pread(pagemap, entries, pages * 8, (off_t)((size_t)at / PAGE * 8)) != (ssize_t)(pages * 8))
            return found;
        for (size_t page = 0; page < pages; page++) {
            if (entries[page] >> 63 & 1)
                found = add_page((size_t)at + page * PAGE, ranges, found, most);
        }
        at += pages * PAGE;
    }
    return found;
}

/* ---- the watch: which pages a program touches ----
 *
 * Not what a process has mapped: a read maps sixteen pages for the one it wants, and to a fork each has its price. So
 * every page is taken away, and given back when it is missed. */
#define MOST_TOUCHED 4096

static struct {
    size_t count, pages[MOST_TOUCHED];
} touched;

static bool within(const Region *region, const void *at) {
    return (const char *)at >= region->start && (const char *)at < region->end;
}

static void on_miss(int signal, siginfo_t *info, void *context);

/* What the watch itself stands on, and so cannot take away: this library, whose zeroed data is no part of its file,
 * and errno's surroundings. */
static bool needed(const Region *region) {
    const void *own[] = {&errno, &count, regions, codes, regions + MOST_REGIONS - 1, codes + MOST_REGIONS - 1, &touched,
                         touched.pages + MOST_TOUCHED - 1};
    for (size_t index = 0; index < sizeof own / sizeof *own; index++)
        if (within(region, own[index]))
            return true;
    for (size_t index = 0; index < code_count; index++)
        if (region->file && region->file == codes[index].file && within(&codes[index], (void *)on_miss))
            return true;
    return false;
}

static void give_back(char *page, bool code) {
    bool again = false;
    for (size_t index = 0; index < touched.count && !again; index++)
        again = touched.pages[index] == (size_t)page;
    if (!again && touched.count < MOST_TOUCHED)
        touched.pages[touched.count++] = (size_t)page;
    mprotect(page, PAGE, PROT_READ | (code ? PROT_EXEC : again ? PROT_WRITE : 0));
}

static void on_miss(int signal, siginfo_t *info, void *context) {
    char *page = (char *)((size_t)info->si_addr & ~(PAGE - 1));
    for (size_t index = 0; index < count; index++)
        if (within(&regions[index], page))
            return give_back(page, false);
    for (size_t index = 0; index < code_count; index++)
        if (within(&codes[index], page))
            return give_back(page, codes[index].code);
    _exit(1); /* a fault that is not the watch's doing */
}

void image_watch(void) {
    /* Nested, because returning from the handler misses a page of the C library the first time. */
    struct sigaction action = {.sa_sigaction = on_miss, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGSEGV, &action, NULL);
    char *way_back = (char *)((size_t)mprotect & ~(PAGE - 1));
    touched.pages[touched.count++] = (size_t)way_back;
    for (size_t index = 0; index < count; index++)
        if (!needed(&regions[index]))
            mprotect(regions[index].start, (size_t)(regions[index].end - regions[index].start), PROT_NONE);
    for (size_t index = 0; index < code_count; index++) {
        if (needed(&codes[index]))
            continue;
        for (char *at = codes[index].start; at < codes[index].end; at += PAGE)
            if (at != way_back)
                mprotect(at, PAGE, PROT_NONE);
    }
}

static int by_address(const void *left, const void *right) {
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    return (a > b) - (a < b);
}

size_t image_touched(int pagemap, size_t (*ranges)[2], size_t most) {
    size_t found = 0, pages = touched.count;
    for (size_t index = 0; index < count; index++)
        if (needed(&regions[index]))
            found = add_mapped(pagemap, &regions[index], ranges, found, most);
    for (size_t index = 0; index < code_count; index++)
        if (needed(&codes[index]))
            found = add_mapped(pagemap, &codes[index], ranges, found, most);
    qsort(touched.pages, pages, sizeof *touched.pages, by_address);
    for (size_t index = 0; index < pages; index++)
        found = add_page(touched.pages[index], ranges, found, most);
    qsort(ranges, found, sizeof *ranges, by_address);
    return found;
}

/* Unmap what `ranges`, in order of address, do not cover of a stretch of code: it is in its file, unchanged. */
static void trim(const Region *region, size_t (*ranges)[2], size_t found) {
    size_t at = (size_t)region->start, end = (size_t)region->end;
    for (size_t index = 0; index < found && at < end; index++) {
        size_t start = ranges[index][0], stop = start + ranges[index][1];
        if (stop <= at || start >= end)
            continue;
        if (start > at)
            madvise((void *)at, start - at, MADV_DONTNEED);
        at = stop;
    }
    if (at < end)
        madvise((void *)at, end - at, MADV_DONTNEED);
}

void image_warm(size_t (*ranges)[2], size_t found) {
#ifdef MADV_POPULATE_WRITE /* Linux 5.14 */
    for (size_t index = 0; index < found; index++)
        /* Where it can be, as if written: a fork copies the page tables of mappings that were. To read one page
         * would map the fifteen beside it, which `trim` undoes for code. */
        if (madvise((void *)ranges[index][0], ranges[index][1], MADV_POPULATE_WRITE))
            madvise((void *)ranges[index][0], ranges[index][1], MADV_POPULATE_READ);
    for (size_t index = 0; index < code_count && found; index++)
        trim(&codes[index], ranges, found);
#endif
}

/* A library's code and the constants around it, given the same rights, are one mapping of what were three: a fork's
 * cost grows with their number. */
static void join_code(void) {
    for (size_t index = 0; index < code_count; index++)
        if (codes[index].code)
            mprotect(codes[index].start, (size_t)(codes[index].end - codes[index].start), PROT_READ | PROT_EXEC);
}

void image_keep_code(size_t (*ranges)[2], size_t found) {
    size_t at = 0;
    for (size_t index = 0; index < code_count; index++) {
        while (at < found && ranges[at][0] < (size_t)codes[index].start)
            at++;
        if (!codes[index].code || at == found || ranges[at][0] >= (size_t)codes[index].end)
            continue;
        /* All of it, or it would be more than one mapping; still code, since this may be where it runs. */
        size_t size = (size_t)(codes[index].end - codes[index].start);
        if (mprotect(codes[index].start, size, PROT_READ | PROT_WRITE | PROT_EXEC))
            continue;
        volatile char *byte = (volatile char *)ranges[at][0];
        *byte = *byte;
        mprotect(codes[index].start, size, PROT_READ | PROT_EXEC);
    }
}

/* Runs while the code it moves is away, so it must not call any: no library, only system calls. */
static long huge_copy(char *start, size_t size) {
    char *wide = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (wide == MAP_FAILED)
        return 0;
    char *copy = (char *)(((size_t)wide + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
    if (madvise(copy, size, MADV_HUGEPAGE)) {
        munmap(wide, size + HUGE_PAGE);
        return 0;
    }
    memcpy(copy, start, size);
    if (mprotect(copy, size, PROT_READ | PROT_EXEC) ||
        mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, start) == MAP_FAILED) {
        munmap(wide, size + HUGE_PAGE);
        return 0;
    }
    if (copy > wide)
        munmap(wide, (size_t)(copy - wide));
    munmap(copy + size, (size_t)(wide + HUGE_PAGE - copy));
    return (long)size;
}

long image_huge_text(int smaps) {
    long moved = 0;
    if (list_regions(smaps))
        return 0;
    for (size_t index = 0; index < code_count; index++) {
        /* Only whole huge pages at their own alignment can be mapped as such. */
        size_t start = ((size_t)codes[index].start + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
        size_t end = (size_t)codes[index].end & ~(HUGE_PAGE - 1);
        if (codes[index].code && end > start)
            moved += huge_copy((char *)start, end - start);
    }
    if (list_regions(smaps) == 0)
        join_code();
    return moved;
}
