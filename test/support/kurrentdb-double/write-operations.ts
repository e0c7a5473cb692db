/** Carries out a write as a service asks for it, with the fault that a test wants it to meet. */
import type { AnyCall, DoubleContext } from './double-context.ts';
import { requiresLeader } from './double-context.ts';
import type { RpcError } from './rpc-errors.ts';
import type { WriteResult } from './store.ts';

/** What the caller gets to know: the result, a refusal, that it timed out, or nothing at all. */
export type WriteOutcome =
  | WriteResult
  | { readonly result: 'refused'; readonly error: RpcError }
  | { readonly result: 'timeout'; readonly phase: 'Prepare' | 'Commit' }
  | { readonly result: 'silence' };

export function carryOut(context: DoubleContext, call: AnyCall, write: () => WriteResult): WriteOutcome {
  const error = context.faults.refusal(requiresLeader(call));
  if (error !== undefined) return { result: 'refused', error };
  const fault = context.faults.takeWriteFault();
  if (fault === 'time_out_before_commit') return { result: 'timeout', phase: 'Prepare' };
  if (fault === 'silent_before_commit') return { result: 'silence' };
  if (fault === 'drop_before_commit') {
    context.dropConnectionOf(call);
    return { result: 'silence' };
  }
  const result = write();
  if (fault === undefined || result.result !== 'success') return result;
  if (fault === 'no_position') return { ...result, position: undefined };
  if (fault === 'drop_after_commit') context.dropConnectionOf(call);
  return fault === 'time_out_after_commit' ? { result: 'timeout', phase: 'Commit' } : { result: 'silence' };
}
