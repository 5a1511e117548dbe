/* The memory image: what makes a fork cheap.
 *
 * A fork copies the page tables of memory that has been written. An interpreter with its modules loaded has
 * thousands of such pages. So before it begins to serve, the zygote copies its memory to a memory file and maps
 * that, privately, in the same place: there is nothing to copy then, and a child takes from the file the few
 * pages it reads or writes. */
#ifndef AUTOTELIC_IMAGE_H
#define AUTOTELIC_IMAGE_H

#include <stddef.h>

/* Put every private writable mapping but the stack on a memory file. `smaps` is /proc/self/smaps, open.
 * Returns the bytes imaged, or -1 with errno set and nothing changed. */
long image_take(int smaps);

/* The same again for the regions that were found then, to take in what was written since; the last time. Makes
 * only system calls that the seal allows. */
void image_renew(void);

/* Copy the interpreter's code to huge pages, and make each library's code one mapping: fewer page faults in a
 * child, fewer misses of the TLB, fewer mappings to copy.
 * Returns the bytes moved; 0 where the kernel has no huge pages to give. */
long image_huge_text(int smaps);

/* In a child that is to run a sample program: from here on, note every page of the image and of code that is touched.
 * Leaves a handler of SIGSEGV; the process is to be thrown away. */
void image_watch(void);

/* The pages noted, and of what the watch stands on the pages mapped, found in `pagemap` (/proc/self/pagemap, open):
 * into `ranges` as pairs of first byte and size. Returns how many, at most `most`. */
size_t image_touched(int pagemap, size_t (*ranges)[2], size_t most);

/* In the zygote, while the seal still allows code to be written: write a page of each stretch of code that has one in
 * `ranges`. A fork copies the page table of no mapping that was never written. */
void image_keep_code(size_t (*ranges)[2], size_t found);

/* In the zygote, at last: map just those pages, and have each fork take them along, instead of a page fault for
 * each in every child. */
void image_warm(size_t (*ranges)[2], size_t found);

#endif
