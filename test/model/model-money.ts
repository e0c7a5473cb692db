/** Amounts as the model writes and reads them: an exact number of minor units, and a text with the currency's decimals. */

/** The currencies that the model banks in: usual, without decimals, with three. */
export const DECIMALS = { USD: 2, JPY: 0, BHD: 3 } as const;

export type Currency = keyof typeof DECIMALS;

export const CURRENCIES = Object.keys(DECIMALS) as Currency[];

/** The largest amount of one command, in minor units. */
const AMOUNT_MAX = 999_999_999_999_999n;

export function decimal(minor: bigint, currency: Currency): string {
  const decimals = DECIMALS[currency];
  if (decimals === 0) return String(minor);
  const unit = 10n ** BigInt(decimals);
  const size = minor < 0n ? -minor : minor;
  return `${minor < 0n ? '-' : ''}${size / unit}.${String(size % unit).padStart(decimals, '0')}`;
}

/** Minor units of what a client wrote, or the code with which it must be refused. */
export function readAmount(
  text: string,
  currency: Currency,
): bigint | 'amount_too_precise' | 'amount_too_large' {
  const [whole = '', fraction = ''] = text.split('.');
  const digits = fraction.replace(/0+$/, '');
  if (digits.length > DECIMALS[currency]) return 'amount_too_precise';
  const minor = BigInt(whole + digits.padEnd(DECIMALS[currency], '0'));
  return minor > AMOUNT_MAX ? 'amount_too_large' : minor;
}
