/** The bank's own accounts for money that nobody could take. */
import { derivedId } from './operation.ts';

/** The one of a currency; the first money that comes to it opens it. */
export function suspenseAccountId(currency: string): string {
  return derivedId('SuspenseAccount', currency);
}
