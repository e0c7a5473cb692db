/** Problem codes that go together: what a route answers for its body, its amounts, its store, whatever its own rules say. */
import type { ProblemCode } from './problem-catalog.ts';

/** Codes that any route with a JSON body may answer before its own rules apply. */
export const BODY_CODES = [
  'malformed_json',
  'missing_body',
  'body_too_large',
  'unsupported_media_type',
  'unknown_field',
  'missing_field',
  'invalid_type',
  'invalid_idempotency_key',
  'idempotency_conflict',
] as const satisfies ProblemCode[];

/** Codes that any route with query parameters may answer. */
export const QUERY_CODES = [
  'unknown_field',
  'invalid_type',
  'out_of_range',
  'too_long',
] as const satisfies ProblemCode[];

/** Codes of a field that holds an amount. */
export const AMOUNT_CODES = [
  'invalid_amount',
  'amount_too_precise',
  'amount_too_large',
] as const satisfies ProblemCode[];

/** Codes that any write may answer when the store cannot take it. */
export const STORE_CODES = [
  'store_unavailable',
  'store_busy',
  'store_disk_full',
  'shutting_down',
] as const satisfies ProblemCode[];

/** Codes that any read under `/api/v1` may answer. */
export const READ_CODES = [
  'invalid_consistency_token',
  'foreign_consistency_token',
  'read_model_behind',
  'read_model_blocked',
  'store_unavailable',
] as const satisfies ProblemCode[];

/** Codes of a field that holds text that a person wrote. */
export const TEXT_CODES = ['invalid_text', 'too_short', 'too_long'] as const satisfies ProblemCode[];

/** Codes of a posting's external reference and metadata. */
export const LABEL_CODES = [
  'external_reference_conflict',
  'idempotency_conflict',
  'invalid_format',
] as const satisfies ProblemCode[];

/** Codes of what takes money out for a customer. */
export const DEBIT_CODES = [
  'account_frozen',
  'insufficient_funds',
  'transaction_limit_exceeded',
  'daily_limit_exceeded',
] as const satisfies ProblemCode[];

/** Codes that every command to one account may answer when it takes If-Match. */
export const GUARDED_CODES = [
  'account_not_found',
  'invalid_id',
  'account_closed',
  'account_of_bank',
  'revision_mismatch',
  'invalid_if_match',
] as const satisfies ProblemCode[];

/** Codes that any page of something that an account or a person has may answer. */
export const PAGE_CODES = [
  ...QUERY_CODES,
  'invalid_cursor',
  'invalid_id',
  ...READ_CODES,
] as const satisfies ProblemCode[];
