// A disk that remembers in which order it was written and synced: a VFS of SQLite before the usual one. What a machine
// has after its power went is then known for every moment: of each file, what was written before its last sync.
// Only files in one folder are remembered, and by one thread at a time; all others just pass.

#include "CPowerLoss.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    sqlite3_file base;
    char name[64];
    int is_watched;
    sqlite3_file *real;
} power_file;

static sqlite3_vfs *usual;
static sqlite3_vfs own;
static sqlite3_io_methods methods;
static power_event *events;
static size_t count, room;
static int remembers;
static char folder[1024];

static void remember(int kind, const char *name, long long offset, const void *bytes, size_t size) {
    if (!remembers) return;
    if (count == room) {
        room = room ? room * 2 : 256;
        events = realloc(events, room * sizeof *events);
        if (!events) abort();
    }
    power_event *event = &events[count++];
    event->kind = kind;
    event->name = strdup(name);
    event->offset = offset;
    event->count = size;
    unsigned char *copy = malloc(size ? size : 1);
    if (!copy || !event->name) abort();
    if (size) memcpy(copy, bytes, size);
    event->bytes = copy;
}

static int is_watched(const char *path) {
    return path && folder[0] && strncmp(path, folder, strlen(folder)) == 0;
}

static const char *last_part(const char *path) {
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path ? path : "";
}

static void remember_of(sqlite3_file *file, int kind, long long offset, const void *bytes, size_t size) {
    power_file *mine = (power_file *)file;
    if (mine->is_watched) remember(kind, mine->name, offset, bytes, size);
}

#define REAL(file) (((power_file *)(file))->real)
#define CALL(file, method, ...) REAL(file)->pMethods->method(REAL(file), ##__VA_ARGS__)

static int file_close(sqlite3_file *file) { return CALL(file, xClose); }
static int file_read(sqlite3_file *file, void *to, int size, sqlite3_int64 at) { return CALL(file, xRead, to, size, at); }
static int file_write(sqlite3_file *file, const void *from, int size, sqlite3_int64 at) {
    remember_of(file, POWER_WRITE, at, from, (size_t)size);
    return CALL(file, xWrite, from, size, at);
}
static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    remember_of(file, POWER_TRUNCATE, size, NULL, 0);
    return CALL(file, xTruncate, size);
}
static int file_sync(sqlite3_file *file, int flags) {
    int result = CALL(file, xSync, flags);
    if (result == SQLITE_OK) remember_of(file, POWER_SYNC, 0, NULL, 0);
    return result;
}
static int file_size(sqlite3_file *file, sqlite3_int64 *size) { return CALL(file, xFileSize, size); }
static int file_lock(sqlite3_file *file, int lock) { return CALL(file, xLock, lock); }
static int file_unlock(sqlite3_file *file, int lock) { return CALL(file, xUnlock, lock); }
static int file_reserved(sqlite3_file *file, int *result) { return CALL(file, xCheckReservedLock, result); }
static int file_control(sqlite3_file *file, int op, void *argument) { return CALL(file, xFileControl, op, argument); }
static int file_sector(sqlite3_file *file) { return CALL(file, xSectorSize); }
// Nothing is promised of the disk: no write is atomic, none is in order.
static int file_characteristics(sqlite3_file *file) { (void)file; return 0; }
static int shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **to) {
    return CALL(file, xShmMap, page, size, extend, to);
}
static int shm_lock(sqlite3_file *file, int offset, int number, int flags) {
    return CALL(file, xShmLock, offset, number, flags);
}
static void shm_barrier(sqlite3_file *file) { CALL(file, xShmBarrier); }
static int shm_unmap(sqlite3_file *file, int removes) { return CALL(file, xShmUnmap, removes); }

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out) {
    (void)vfs;
    power_file *mine = (power_file *)file;
    mine->real = (sqlite3_file *)(mine + 1);
    strncpy(mine->name, last_part(path), sizeof mine->name - 1);
    mine->name[sizeof mine->name - 1] = 0;
    mine->is_watched = is_watched(path);
    int result = usual->xOpen(usual, path, mine->real, flags, out);
    mine->base.pMethods = mine->real->pMethods ? &methods : NULL;
    return result;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int syncs) {
    (void)vfs;
    int result = usual->xDelete(usual, path, syncs);
    if (result == SQLITE_OK && is_watched(path)) remember(POWER_DELETE, last_part(path), 0, NULL, 0);
    return result;
}

int power_install(const char *watched) {
    strncpy(folder, watched, sizeof folder - 1);
    if (usual) return SQLITE_OK;
    usual = sqlite3_vfs_find(NULL);
    if (!usual) return SQLITE_ERROR;
    own = *usual;
    own.pNext = NULL;
    own.zName = "power-loss";
    own.szOsFile = (int)sizeof(power_file) + usual->szOsFile;
    own.xOpen = vfs_open;
    own.xDelete = vfs_delete;
    // Without the third version's memory maps, which would write past us.
    methods = (sqlite3_io_methods){
        .iVersion = 2, .xClose = file_close, .xRead = file_read, .xWrite = file_write, .xTruncate = file_truncate,
        .xSync = file_sync, .xFileSize = file_size, .xLock = file_lock, .xUnlock = file_unlock,
        .xCheckReservedLock = file_reserved, .xFileControl = file_control, .xSectorSize = file_sector,
        .xDeviceCharacteristics = file_characteristics, .xShmMap = shm_map, .xShmLock = shm_lock,
        .xShmBarrier = shm_barrier, .xShmUnmap = shm_unmap,
    };
    return sqlite3_vfs_register(&own, 1);
}

void power_start(void) {
    for (size_t index = 0; index < count; index++) {
        free((void *)events[index].name);
        free((void *)events[index].bytes);
    }
    count = 0;
    remembers = 1;
}

void power_stop(void) { remembers = 0; }
size_t power_count(void) { return count; }
power_event power_get(size_t index) { return events[index]; }
