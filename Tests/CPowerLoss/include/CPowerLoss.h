#ifndef CPOWERLOSS_H
#define CPOWERLOSS_H

#include <stddef.h>

/// One thing that SQLite asked of the disk.
typedef struct {
    enum { POWER_WRITE, POWER_TRUNCATE, POWER_SYNC, POWER_DELETE } kind;
    /// The file's name, without its folder.
    const char *name;
    long long offset;
    const unsigned char *bytes;
    size_t count;
} power_event;

/// Puts itself before the usual disk, for all files that SQLite opens from now on; those in the folder are watched.
/// Nothing is remembered yet. Returns what SQLite does: 0.
int power_install(const char *folder);
/// Forgets what was remembered, and remembers from now on.
void power_start(void);
void power_stop(void);
size_t power_count(void);
power_event power_get(size_t index);

#endif
