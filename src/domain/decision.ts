/** The outcome of a decision: either a value, or a rejection that a caller can act on. */

/**
 * Why a decision refused, as a value.
 *
 * `code` is stable and machine-readable; `detail` is one sentence for people; `field` names the input field at
 * fault, when there is one; `facts` holds the figures a caller needs (amounts as decimal strings).
 */
export interface Rejection {
  readonly code: string;
  readonly detail: string;
  readonly field?: string;
  readonly facts?: Facts;
}

/** They stand beside the members of a problem (RFC 9457) when a client is told, so none may take the name of one. */
type Facts = Readonly<Record<string, string | number>> & {
  readonly [member in 'type' | 'title' | 'status' | 'detail' | 'code' | 'errors']?: never;
};

/** Either `{ok: true, value}` or `{ok: false, rejection}`; nothing in the domain throws for a broken rule. */
export type Decision<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly rejection: Rejection };

export function accept<T>(value: T): Decision<T> {
  return { ok: true, value };
}

export function reject(
  code: string,
  detail: string,
  more: Pick<Rejection, 'field' | 'facts'> = {},
): { readonly ok: false; readonly rejection: Rejection } {
  return { ok: false, rejection: { code, detail, ...more } };
}
