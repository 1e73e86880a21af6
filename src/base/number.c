/* Decimal text of binary numbers and back, by exact integer arithmetic.
 *
 * Writing is the free-format algorithm of G. Steele and J. White, How to print floating-point numbers accurately, PLDI
 * 1990, as R. Burger and K. Dybvig scale it, Printing floating-point numbers quickly and accurately, PLDI 1996. Reading
 * divides two integers until 54 bits of the quotient are known. No operation here is one of floating point: those would
 * follow the caller's mode. */
#include "number.h"
#include <stdint.h>
#include <string.h>
#include "ascii.h"

/* ---- natural numbers: up to 4,200 bits, which the longest quotient of the reader needs ---- */

enum { WORDS = 132 };
typedef struct natural {
    int n; /* words in use; the last one is not 0 */
    uint32_t w[WORDS];
} natural;

static void set(natural *a, uint64_t v)
{
    a->n = 0;
    for (; v; v >>= 32) a->w[a->n++] = (uint32_t)v;
}

static void times_plus(natural *a, uint32_t by, uint32_t more)
{
    uint64_t carry = more;
    for (int i = 0; i < a->n; i++) {
        carry += (uint64_t)a->w[i] * by;
        a->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry) a->w[a->n++] = (uint32_t)carry;
}

static void times_power_of_ten(natural *a, int power)
{
    for (; power >= 9; power -= 9) times_plus(a, 1000000000, 0);
    for (; power > 0; power--) times_plus(a, 10, 0);
}

static void shift(natural *a, int bits)
{
    const int words = bits / 32;
    if (!a->n) return;
    times_plus(a, UINT32_C(1) << bits % 32, 0);
    memmove(a->w + words, a->w, (size_t)a->n * sizeof *a->w);
    memset(a->w, 0, (size_t)words * sizeof *a->w);
    a->n += words;
}

static int bits_of(const natural *a)
{
    return a->n ? 32 * a->n - __builtin_clz(a->w[a->n - 1]) : 0;
}

static int compare(const natural *a, const natural *b)
{
    if (a->n != b->n) return a->n < b->n ? -1 : 1;
    for (int i = a->n - 1; i >= 0; i--)
        if (a->w[i] != b->w[i]) return a->w[i] < b->w[i] ? -1 : 1;
    return 0;
}

static void add(natural *a, const natural *b)
{
    uint64_t carry = 0;
    for (int i = 0; i < b->n || carry; i++) {
        if (i == a->n) a->w[a->n++] = 0;
        carry += (uint64_t)a->w[i] + (i < b->n ? b->w[i] : 0);
        a->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static void subtract(natural *a, const natural *b) /* b <= a */
{
    int64_t carry = 0;
    for (int i = 0; i < a->n; i++) {
        carry += (int64_t)a->w[i] - (i < b->n ? b->w[i] : 0);
        a->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
    while (a->n && !a->w[a->n - 1]) a->n--;
}

static int compare_sum(const natural *a, const natural *b, const natural *c) /* a + b with c */
{
    natural sum = *a;
    add(&sum, b);
    return compare(&sum, c);
}

/* ---- the parts of a number ---- */

typedef struct parts { /* mantissa * 2^exponent */
    bool negative, is_finite, is_nan;
    bool is_least; /* of its power of two: the next smaller one is half as far as the next larger */
    uint64_t mantissa;
    int exponent;
} parts;

typedef struct format {
    int fraction_bits, exponent_most, least; /* the field that says infinite; the exponent of the last bit of subnormals */
} format;
static const format f64 = { 52, 2047, -1074 }, f32 = { 23, 255, -149 };

static parts take_apart(uint64_t bits, format f)
{
    const uint64_t one = UINT64_C(1) << f.fraction_bits, fraction = bits & (one - 1);
    const int e = (int)(bits >> f.fraction_bits) & f.exponent_most;
    return (parts){ .negative = bits >> f.fraction_bits > (uint64_t)f.exponent_most,
                    .is_finite = e != f.exponent_most,
                    .is_nan = e == f.exponent_most && fraction,
                    .is_least = fraction == 0 && e > 1,
                    .mantissa = e ? fraction | one : fraction,
                    .exponent = e ? f.least + e - 1 : f.least };
}

static parts parts_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return take_apart(bits, f64);
}

/* ---- digits ---- */

enum { MOST_DIGITS = 40 };
typedef struct decimal { /* 0.d0 d1 d2.. * 10^point */
    int n, point;
    char digit[MOST_DIGITS];
} decimal;

typedef struct quotient { /* value / divisor in [0.1, 1) times 10^point, and half the way to both neighbours */
    natural value, divisor, up, down;
    int point;
} quotient;

static int floor_log10_power_of_two(int e) /* at most one below the truth */
{
    const int p = e * 30103;
    return p >= 0 ? p / 100000 : -((-p + 99999) / 100000);
}

/* `wide`: a number counts as large as what rounds to it, so that 9.99 may become 10. */
static void begin(quotient *q, const parts *p, bool wide)
{
    const bool even = !(p->mantissa & 1);
    set(&q->value, p->mantissa), set(&q->divisor, 1), set(&q->down, 1);
    shift(&q->value, p->is_least ? 2 : 1), shift(&q->divisor, p->is_least ? 2 : 1);
    if (p->exponent > 0) shift(&q->value, p->exponent), shift(&q->down, p->exponent);
    else shift(&q->divisor, -p->exponent);
    q->up = q->down;
    if (p->is_least) shift(&q->up, 1);
    q->point = floor_log10_power_of_two(bits_of(&q->value) - bits_of(&q->divisor) - 1);
    if (q->point > 0) times_power_of_ten(&q->divisor, q->point);
    else
        times_power_of_ten(&q->value, -q->point), times_power_of_ten(&q->up, -q->point),
            times_power_of_ten(&q->down, -q->point);
    for (;; times_plus(&q->divisor, 10, 0), q->point++) {
        const int c = wide ? compare_sum(&q->value, &q->up, &q->divisor) : compare(&q->value, &q->divisor);
        if (c < 0 || (c == 0 && wide && !even)) break;
    }
}

static int next_digit(quotient *q)
{
    int digit = 0;
    times_plus(&q->value, 10, 0);
    for (; compare(&q->value, &q->divisor) >= 0; digit++) subtract(&q->value, &q->divisor);
    return digit;
}

static int rest_beside_half(const quotient *q)
{
    return compare_sum(&q->value, &q->value, &q->divisor);
}

static void count_up(decimal *d)
{
    while (d->n && d->digit[d->n - 1] == 9) d->n--;
    if (d->n) d->digit[d->n - 1]++;
    else d->digit[d->n++] = 1, d->point++;
}

static decimal shortest(const parts *p)
{
    quotient q;
    begin(&q, p, true);
    decimal d = { .point = q.point };
    const bool even = !(p->mantissa & 1);
    for (;;) {
        d.digit[d.n] = (char)next_digit(&q);
        times_plus(&q.up, 10, 0), times_plus(&q.down, 10, 0);
        const int below = compare(&q.value, &q.down), above = compare_sum(&q.value, &q.up, &q.divisor);
        const bool low = below < 0 || (below == 0 && even), high = above > 0 || (above == 0 && even);
        d.n++;
        if (!low && !high) continue;
        const int half = rest_beside_half(&q);
        if (high && (!low || half > 0 || (half == 0 && d.digit[d.n - 1] % 2))) count_up(&d);
        return d;
    }
}

/* `significant` digits, or, if that is 0, so many that `decimals` stand behind the point. */
static decimal rounded(const parts *p, int significant, int decimals)
{
    quotient q;
    begin(&q, p, false);
    decimal d = { .point = q.point };
    const int wanted = significant ? significant : q.point + decimals;
    if (wanted < 0) return d;
    while (d.n < wanted) d.digit[d.n++] = (char)next_digit(&q);
    const int half = rest_beside_half(&q);
    if (half > 0 || (half == 0 && d.n && d.digit[d.n - 1] % 2)) count_up(&d);
    return d;
}

/* ---- writing ---- */

static char *special(char *out, const parts *p)
{
    strcpy(out, p->is_nan ? "nan" : p->negative ? "-inf" : "inf");
    return out;
}

static char *put_int(char *at, int v, int digits)
{
    char text[12];
    int n = 0;
    for (; v > 0 || n < digits; v /= 10) text[n++] = (char)('0' + v % 10);
    while (n) *at++ = text[--n];
    return at;
}

/* Digits before and behind the point, which stands at d->point; zeros where there are none. */
static char *put_fixed(char *at, const decimal *d, int decimals)
{
    for (int i = d->point < 1 ? d->point - 1 : 0; i < d->point + decimals; i++) {
        if (i == d->point) *at++ = '.';
        *at++ = i >= 0 && i < d->n ? (char)('0' + d->digit[i]) : '0';
    }
    *at = '\0';
    return at;
}

static char *put_scientific(char *at, const decimal *d)
{
    const int e = d->point - 1;
    *at++ = (char)('0' + d->digit[0]);
    if (d->n > 1) *at++ = '.';
    for (int i = 1; i < d->n; i++) *at++ = (char)('0' + d->digit[i]);
    *at++ = 'e';
    *at++ = e < 0 ? '-' : '+';
    at = put_int(at, e < 0 ? -e : e, 2);
    *at = '\0';
    return at;
}

/* As %g with this precision. */
static void put_general(char *at, decimal d, int precision)
{
    while (d.n > 1 && d.digit[d.n - 1] == 0) d.n--;
    if (d.point < -3 || d.point > precision) put_scientific(at, &d);
    else put_fixed(at, &d, d.n > d.point ? d.n - d.point : 0);
}

static char *write_shortest(char *out, const parts *p)
{
    char *at = out;
    if (!p->is_finite) return special(out, p);
    if (p->negative) *at++ = '-';
    const decimal d = p->mantissa ? shortest(p) : (decimal){ .n = 1, .point = 1 };
    put_general(at, d, d.n);
    return out;
}

char *gn_number_shortest(char out[GN_NUMBER_SIZE], double v)
{
    const parts p = parts_of(v);
    return write_shortest(out, &p);
}

char *gn_number_shortest_f32(char out[GN_NUMBER_SIZE], float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    const parts p = take_apart(bits, f32);
    return write_shortest(out, &p);
}

char *gn_number_digits(char out[GN_NUMBER_SIZE], double v, int digits)
{
    const parts p = parts_of(v);
    char *at = out;
    if (!p.is_finite) return special(out, &p);
    if (p.negative) *at++ = '-';
    put_general(at, p.mantissa ? rounded(&p, digits, 0) : (decimal){ .n = 1, .point = 1 }, digits);
    return out;
}

char *gn_number_fixed(char out[GN_NUMBER_SIZE], double v, int decimals)
{
    const parts p = parts_of(v);
    char *at = out;
    if (!p.is_finite) return special(out, &p);
    if (p.exponent > 16) return write_shortest(out, &p);
    if (p.negative) *at++ = '-';
    const decimal d = p.mantissa ? rounded(&p, 0, decimals) : (decimal){ .n = 0, .point = 0 };
    put_fixed(at, &d, decimals);
    return out;
}

char *gn_number_hex(char out[GN_NUMBER_SIZE], double v)
{
    const parts p = parts_of(v);
    const bool subnormal = !(p.mantissa >> 52);
    const int e = p.mantissa ? p.exponent + 52 : 0;
    char *at = out;
    if (!p.is_finite) return special(out, &p);
    if (p.negative) *at++ = '-';
    *at++ = '0', *at++ = 'x', *at++ = subnormal ? '0' : '1';
    uint64_t rest = p.mantissa << 12;
    if (rest) *at++ = '.';
    for (; rest; rest <<= 4) *at++ = "0123456789abcdef"[rest >> 60];
    *at++ = 'p', *at++ = e < 0 ? '-' : '+';
    at = put_int(at, e < 0 ? -e : e, 1);
    *at = '\0';
    return out;
}

/* ---- reading ---- */

__extension__ typedef unsigned __int128 wide;

static uint64_t infinite(format f)
{
    return (uint64_t)f.exponent_most << f.fraction_bits;
}

/* The bits of mantissa * 2^exponent, and of a little more if `inexact`; the mantissa's top bit is set. To the nearest,
 * ties to even. */
static uint64_t nearest(format f, uint64_t mantissa, int exponent, bool inexact)
{
    const int usual = 63 - f.fraction_bits, drop = exponent + usual < f.least ? f.least - exponent : usual;
    if (drop > 64) return 0;
    const uint64_t kept = drop == 64 ? 0 : mantissa >> drop, rest = mantissa << (64 - drop), half = UINT64_C(1) << 63;
    const bool up = rest > half || (rest == half && (inexact || kept & 1));
    const int power = exponent + drop - f.least;
    if (power > f.exponent_most - 2) return infinite(f);
    /* the first bit kept and a carry go into the exponent, where they belong */
    return ((uint64_t)power << f.fraction_bits) + kept + up;
}

static uint64_t nearest_wide(format f, wide v, int exponent, bool inexact)
{
    const uint64_t high = (uint64_t)(v >> 64);
    const int zeros = high ? __builtin_clzll(high) : 64 + __builtin_clzll((uint64_t)v);
    v <<= zeros;
    return nearest(f, (uint64_t)(v >> 64), exponent + 64 - zeros, inexact || (uint64_t)v);
}

/* mantissa * 10^power where the power of ten fits a word. */
static uint64_t by_words(format f, uint64_t mantissa, int power)
{
    uint64_t ten = 1;
    for (int i = power < 0 ? -power : power; i > 0; i--) ten *= 10;
    if (power >= 0) return nearest_wide(f, (wide)mantissa * ten, 0, false);
    const int zeros = __builtin_clzll(mantissa);
    const wide n = (wide)(mantissa << zeros) << 64;
    return nearest_wide(f, n / ten, -64 - zeros, n % ten != 0);
}

/* a / b: bits of the quotient one by one, the first of them 1. */
static uint64_t by_division(format f, natural *a, natural *b, bool inexact)
{
    const int exponent = bits_of(a) - bits_of(b);
    shift(exponent < 0 ? a : b, exponent < 0 ? -exponent : exponent);
    const bool less = compare(a, b) < 0;
    uint64_t q = 0;
    if (less) shift(a, 1);
    for (int i = 0; i < 64; i++) {
        const bool one = compare(a, b) >= 0;
        if (one) subtract(a, b);
        times_plus(a, 2, 0);
        q = q << 1 | one;
    }
    return nearest(f, q, exponent - less - 63, inexact || a->n);
}

static const char *read_exponent(const char *s, char letter, int64_t *power)
{
    const char *at = s + 1;
    int64_t e = 0;
    if (gn_to_lower(*s) != letter) return s;
    const bool negative = *at == '-';
    if (*at == '-' || *at == '+') at++;
    if (!gn_is_digit(*at)) return s;
    for (; gn_is_digit(*at); at++)
        if (e < 1000000) e = 10 * e + (*at - '0');
    *power += negative ? -e : e;
    return at;
}

enum { MOST_READ = 800 }; /* more digits than any tie between two numbers has; the rest only tells that there is more */

static uint64_t decimal_bits(format f, const char *digit, int n, int64_t power, bool more)
{
    uint64_t word = 0;
    if (n + power > 310) return infinite(f);
    if (n + power < -330) return 0;
    if (n <= 19) {
        for (int i = 0; i < n; i++) word = 10 * word + (uint64_t)digit[i];
        if (!more && power >= -19 && power <= 19) return by_words(f, word, (int)power);
    }
    natural a, b;
    set(&a, 0), set(&b, 1);
    for (int i = 0; i < n; i++) times_plus(&a, 10, (uint32_t)digit[i]);
    times_power_of_ten(power < 0 ? &b : &a, (int)(power < 0 ? -power : power));
    return by_division(f, &a, &b, more);
}

/* NULL: no digit. */
static const char *read_decimal(format f, const char *s, uint64_t *bits)
{
    char digit[MOST_READ];
    int n = 0;
    int64_t power = 0;
    bool any = false, behind = false, more = false;
    for (; gn_is_digit(*s) || (*s == '.' && !behind); s++) {
        if (*s == '.') {
            behind = true;
            continue;
        }
        any = true;
        if (n == MOST_READ) {
            more |= *s != '0';
            power += !behind;
            continue;
        }
        power -= behind;
        if (n || *s != '0') digit[n++] = (char)(*s - '0');
    }
    if (!any) return NULL;
    s = read_exponent(s, 'e', &power);
    *bits = n ? decimal_bits(f, digit, n, power, more) : 0;
    return s;
}

/* What follows "0x". */
static const char *read_hex(format f, const char *s, uint64_t *bits)
{
    uint64_t word = 0;
    int64_t power = 0;
    bool any = false, behind = false, more = false;
    for (; gn_hex_digit(*s) >= 0 || (*s == '.' && !behind); s++) {
        if (*s == '.') {
            behind = true;
            continue;
        }
        any = true;
        const bool full = word >> 60;
        if (full) more |= *s != '0';
        else word = word << 4 | (uint64_t)gn_hex_digit(*s);
        power += 4 * ((full ? 1 : 0) - (behind ? 1 : 0));
    }
    if (!any) return NULL;
    s = read_exponent(s, 'p', &power);
    *bits = 0;
    if (!word) return s;
    const int zeros = __builtin_clzll(word);
    if (power > 1100) *bits = infinite(f);
    else if (power > -1300) *bits = nearest(f, word << zeros, (int)power - zeros, more);
    return s;
}

static const char *read_magnitude(format f, const char *s, uint64_t *bits)
{
    if (s[0] == '0' && gn_to_lower(s[1]) == 'x') {
        const char *const end = read_hex(f, s + 2, bits);
        if (end) return end;
    }
    if (strncmp(s, "inf", 3) == 0) return *bits = infinite(f), s + 3;
    if (strncmp(s, "nan", 3) == 0) return *bits = infinite(f) | UINT64_C(1) << (f.fraction_bits - 1), s + 3;
    return read_decimal(f, s, bits);
}

static bool read_sign(const char *text, const char **end, format f, uint64_t *bits)
{
    const char *const after = read_magnitude(f, text + (*text == '-' || *text == '+'), bits);
    if (!after) return false;
    *end = after;
    *bits |= (uint64_t)(*text == '-') * ((uint64_t)(f.exponent_most + 1) << f.fraction_bits);
    return true;
}

bool gn_number_read(const char *text, const char **end, double *out)
{
    uint64_t bits;
    if (!read_sign(text, end, f64, &bits)) return false;
    memcpy(out, &bits, sizeof *out);
    return true;
}

bool gn_number_read_f32(const char *text, const char **end, float *out)
{
    uint64_t bits;
    if (!read_sign(text, end, f32, &bits)) return false;
    memcpy(out, &(uint32_t){ (uint32_t)bits }, sizeof *out);
    return true;
}
