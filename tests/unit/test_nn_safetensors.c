/* safetensors: what is written comes back; headers that lie are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/mem.h"
#include "nn/safetensors.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void arrays_and_notes_come_back(void **state)
{
    (void)state;
    char path[] = "/tmp/qn_st_XXXXXX";
    close(mkstemp(path));
    const float a[] = { 1, 2, 3, 4, 5, 6 }, b[] = { -0.5f };
    qn_array_out out[] = { { "a", 2, 3, a }, { "b.weight", 1, 0, b } };
    const char *notes[] = { "step", "12", NULL };
    qn_safetensors *s;
    qn_err e = { 0 };
    float got[6];
    assert_int_equal(qn_safetensors_write(path, out, 2, notes, &e), QN_OK);
    assert_int_equal(qn_safetensors_open(&s, path, &e), QN_OK);
    assert_int_equal(qn_safetensors_count(s), 2);
    assert_int_equal(qn_safetensors_read(s, "a", 6, got, &e), QN_OK);
    assert_memory_equal(got, a, sizeof a);
    assert_int_equal(qn_safetensors_find(s, "a")->shape[1], 3);
    assert_true(qn_str_is(qn_safetensors_note(s, "step"), "12"));
    assert_true(qn_str_is(qn_safetensors_note(s, "format"), "pt"));
    assert_int_equal(qn_safetensors_read(s, "a", 5, got, &e), QN_EDATA);
    assert_int_equal(qn_safetensors_read(s, "c", 1, got, &e), QN_EDATA);
    qn_safetensors_close(s);
    unlink(path);
}

static size_t file_of(uint8_t *out, const char *header, const void *data, size_t n)
{
    size_t h = strlen(header);
    for (int i = 0; i < 8; i++) out[i] = (uint8_t)((uint64_t)h >> 8 * i);
    memcpy(out + 8, header, h);
    memcpy(out + 8 + h, data, n);
    return 8 + h + n;
}

static void half_and_bfloat_numbers_become_floats(void **state)
{
    (void)state;
    uint8_t f[512];
    static const uint16_t data[] = { 0x3C00, 0xC000, 0x0001, 0x7BFF, 0x3F80, 0xC000 };   /* f16: 1, -2, 2^-24, 65504; bf16: 1, -2 */
    size_t n = file_of(f, "{\"h\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[8,12]},"
                          "\"i\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}", data, sizeof data);
    qn_safetensors *s;
    qn_err e = { 0 };
    float x[4];
    if (qn_safetensors_parse(&s, f, n, &e)) fail_msg("%s", e.msg);
    assert_int_equal(qn_safetensors_read(s, "h", 4, x, &e), QN_OK);
    assert_true(x[0] == 1 && x[1] == -2 && x[2] == 0x1p-24f && x[3] == 65504);
    assert_int_equal(qn_safetensors_read(s, "b", 2, x, &e), QN_OK);
    assert_true(x[0] == 1 && x[1] == -2);
    assert_int_equal(qn_safetensors_read(s, "i", 1, x, &e), QN_EDATA);
    qn_safetensors_close(s);
}

static void headers_that_lie_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[]", "{", "{\"a\":{}}", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4294967296,4294967296],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[18446744073709551612,18446744073709551615]}}",
    };
    uint8_t f[512], zero[8] = { 0 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        qn_safetensors *s;
        qn_err e = { 0 };
        size_t n = file_of(f, bad[i], zero, 8);
        if (qn_safetensors_parse(&s, f, n, &e) != QN_EDATA) fail_msg("accepted: %s", bad[i]);
    }
    qn_safetensors *s;
    qn_err e = { 0 };
    memset(f, 0xff, 16);
    assert_int_equal(qn_safetensors_parse(&s, f, 16, &e), QN_EDATA);
    assert_int_equal(qn_safetensors_parse(&s, f, 7, &e), QN_EDATA);
    assert_int_equal(qn_safetensors_open(&s, "/nowhere/at/all", &e), QN_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_and_notes_come_back),
        cmocka_unit_test(half_and_bfloat_numbers_become_floats),
        cmocka_unit_test(headers_that_lie_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
