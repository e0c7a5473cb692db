/** What a command makes of the way in which a transfer has ended. */
import type { Body } from '../bank-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { plain } from './table.ts';

/** Ends in which the money did not arrive. */
const FAILED: ReadonlySet<unknown> = new Set(['REJECTED', 'REFUNDED', 'IN_SUSPENSE']);

/** @throws CliError when the transfer ended without the money on the other account */
export function concludeTransfer({ status, steps }: Body): void {
  if (status === 'COMPLETED') return;
  if (!FAILED.has(status)) {
    process.stderr.write('The transfer is on record and goes on in the background.\n');
    return;
  }
  const reasons = Array.isArray(steps)
    ? (steps as readonly Body[]).flatMap(({ detail }) => detail ?? [])
    : [];
  const why = reasons.length === 0 ? '.' : `: ${reasons.join(' ')}`;
  throw new CliError(plain(`The transfer ended as ${status}${why}`), EXIT.refused);
}
