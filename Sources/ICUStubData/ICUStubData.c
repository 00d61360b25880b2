// An empty table of ICU data, in place of the 34 MB that Foundation brings along.
//
// Foundation comes into the binary through the SQLite library, and with it the locale data of ICU. muster formats no
// date and compares no text by a locale, so it needs none of them. ICU provides for this: a program may define the entry
// point of its data itself, as a common table of contents with no items (ICU User Guide, "ICU Data", "stubdata").
// The linker takes this one instead of the archive's. The number in the name is ICU's major version; with a toolchain
// that has another, this symbol is unused and the binary is as large as it would be without it.

#include <stdint.h>

struct TableOfContents {
    uint16_t header_size;
    uint8_t magic[2];
    uint16_t info_size;
    uint16_t reserved_word;
    uint8_t is_big_endian;
    uint8_t charset_family;
    uint8_t bytes_per_character;
    uint8_t reserved_byte;
    uint8_t data_format[4];
    uint8_t format_version[4];
    uint8_t data_version[4];
    uint8_t padding[8];
    uint32_t item_count;
    uint32_t reserved;
};

const struct TableOfContents icudt76_dat __attribute__((aligned(16), visibility("default"))) = {
    .header_size = 32,
    .magic = {0xda, 0x27},
    .info_size = 20,
    .is_big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
    .bytes_per_character = 2,
    .data_format = {'T', 'o', 'C', 'P'},
    .format_version = {1, 0, 0, 0},
};
