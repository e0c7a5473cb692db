/** Amounts as the API writes them, made here with nothing of the program's own code. */

/** Minor units as decimal text. */
export function decimalText(minor: bigint, decimals: number): string {
  const digits = String(minor < 0n ? -minor : minor).padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const text = decimals === 0 ? whole : `${whole}.${digits.slice(-decimals)}`;
  return minor < 0n ? `-${text}` : text;
}

/** How many decimals an amount is written with. */
export function decimalsOf(amount: string): number {
  return amount.split('.')[1]?.length ?? 0;
}
