/**
 * A PHP float. It is not a `number`, because PHP and JSON distinguish `1.0` from `1`, and a number
 * does not. A whole float that came back as an integer would be another value to PHP.
 */
export class PhpFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/**
 * From this many digits before the point, and from this many zeros after it, PHP writes an
 * exponent.
 */
const DIGITS_BEFORE_POINT_MAX = 17;
const ZEROS_BEHIND_POINT_MAX = 3;

/**
 * Returns a finite float as PHP writes it with its default `serialize_precision` of -1: with the
 * fewest digits that read back as the same float, as in JavaScript. But `1.0E+25`, `1.0E-5` and
 * `-0` are specific to PHP.
 */
export function finiteFloatText(value: number, exponentMark: 'E' | 'e'): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const sign = value < 0 ? '-' : '';
  const [mantissa = '', exponentText = ''] = Math.abs(value).toExponential().split('e');
  const exponent = Number(exponentText);
  const digits = mantissa.replace('.', '');
  if (exponent >= DIGITS_BEFORE_POINT_MAX || exponent < -1 - ZEROS_BEHIND_POINT_MAX) {
    const fraction = digits.length > 1 ? digits.slice(1) : '0';
    return `${sign}${digits[0]}.${fraction}${exponentMark}${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-1 - exponent)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return fraction === '' ? sign + whole : `${sign}${whole}.${fraction}`;
}
