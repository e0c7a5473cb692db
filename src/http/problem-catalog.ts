/** Every problem code that the API answers: its HTTP status, its title, and what a client should make of it. */

export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly meaning: string;
}

const kind = (status: number, title: string, meaning: string): ProblemKind => ({ status, title, meaning });

export const PROBLEM_CATALOG = {
  malformed_json: kind(
    400,
    'Malformed JSON',
    'The body is not JSON, or has a key that is never taken (__proto__).',
  ),
  missing_body: kind(400, 'Missing body', 'The route needs a JSON body.'),
  malformed_request: kind(400, 'Malformed request', 'The request itself could not be read.'),
  invalid_idempotency_key: kind(
    400,
    'Invalid Idempotency-Key',
    'Idempotency-Key must have 1 to 255 printable ASCII characters.',
  ),
  invalid_if_match: kind(
    400,
    'Invalid If-Match',
    'If-Match must be * or an ETag that this API gave, such as "3".',
  ),
  invalid_consistency_token: kind(
    400,
    'Invalid consistency token',
    'x-consistency-token is not one that this API gave out.',
  ),
  foreign_consistency_token: kind(
    400,
    'Foreign consistency token',
    'The token was given out by another event store.',
  ),
  route_not_found: kind(404, 'Route not found', 'There is no such route.'),
  person_not_found: kind(404, 'Person not found', 'No person has this id.'),
  account_not_found: kind(404, 'Account not found', 'No account has this id.'),
  transaction_not_found: kind(404, 'Transaction not found', 'No transaction has this id.'),
  transfer_not_found: kind(404, 'Transfer not found', 'No transfer has this id.'),
  schema_not_found: kind(404, 'Schema not found', 'No published CloudEvent has this type.'),
  hold_not_found: kind(404, 'Hold not found', 'The account has no hold with this id.'),
  stream_not_found: kind(404, 'Stream not found', 'No stream has this name.'),
  dead_letter_not_found: kind(404, 'Dead letter not found', 'There is no such dead letter, or no more.'),
  projection_not_found: kind(
    404,
    'Projection not found',
    'No projection, and no group of them, has this name.',
  ),
  past_projection_not_found: kind(
    404,
    'Past projection not found',
    'This process keeps no past projection with this id, or no more.',
  ),
  document_not_found: kind(404, 'Document not found', 'There was no document with this key then.'),
  problem_not_found: kind(404, 'Problem not found', 'No problem has this code.'),
  not_acceptable: kind(
    406,
    'Not acceptable',
    'The route answers none of the media types in Accept; leave it out, or name one that is documented.',
  ),
  account_not_open_yet: kind(
    404,
    'Account not open yet',
    'The account was opened later; opened_at says when.',
  ),
  person_not_registered_yet: kind(
    404,
    'Person not registered yet',
    'The person was registered later; registered_at says when.',
  ),
  revision_not_found: kind(
    404,
    'Revision not found',
    'The account has no such revision; last_revision is its newest.',
  ),
  history_removed: kind(
    410,
    'History removed',
    'The events that it takes are no longer kept; first_revision is the first that is.',
  ),
  request_timeout: kind(408, 'Request timeout', 'The request did not arrive in time.'),
  person_already_registered: kind(409, 'Person already registered', 'The id belongs to a registered person.'),
  transfer_already_exists: kind(409, 'Transfer already exists', 'The id belongs to a transfer.'),
  account_already_exists: kind(409, 'Account already exists', 'The id belongs to an account.'),
  backup_in_progress: kind(
    409,
    'Backup in progress',
    'A backup is under way; GET /admin/backups tells how far it is.',
  ),
  past_projection_in_progress: kind(
    409,
    'Past projection in progress',
    'One is folded at a time; wait for it, or end it with DELETE.',
  ),
  past_projection_not_finished: kind(
    409,
    'Past projection not finished',
    'It is under way or has failed, as its state says, so it has no documents.',
  ),
  backups_not_configured: kind(
    409,
    'Backups not configured',
    'OPENBANK_BACKUP_DIR names no directory for backups.',
  ),
  account_closed: kind(409, 'Account closed', 'A closed account takes no more commands.'),
  account_of_bank: kind(
    409,
    'Account of the bank',
    "The account is the bank's own: customers' commands are not for it.",
  ),
  account_frozen: kind(
    409,
    'Account frozen',
    'The account is frozen for that direction; the bank must unfreeze it.',
  ),
  balance_not_zero: kind(409, 'Balance not zero', 'Only an account with a balance of zero can be closed.'),
  overdraft_in_use: kind(
    409,
    'Overdraft in use',
    'More of the overdraft is used or held than the new limit.',
  ),
  dead_letter_not_retriable: kind(
    409,
    'Dead letter not retriable',
    'Which document it would touch is not known; rebuild the projection, or discard the letter.',
  ),
  rebuild_in_progress: kind(409, 'Rebuild in progress', 'The projection is being rebuilt already.'),
  no_rebuild: kind(409, 'No rebuild', 'The projection is not being rebuilt.'),
  rebuild_required: kind(
    409,
    'Rebuild required',
    'The program has a new version of the projection, so its rebuild cannot be given up.',
  ),
  projection_paused: kind(409, 'Projection paused', 'The projection is paused already.'),
  projection_not_paused: kind(409, 'Projection not paused', 'The projection is not paused.'),
  holds_open: kind(409, 'Holds open', 'An account with money held cannot be closed.'),
  hold_not_open: kind(409, 'Hold not open', 'The hold was captured, released, or has expired.'),
  external_reference_conflict: kind(
    409,
    'External reference conflict',
    'The reference names another transaction of the account.',
  ),
  not_reversible: kind(
    409,
    'Not reversible',
    'It is a reversal itself, or a part of a transfer that did not complete.',
  ),
  already_reversed: kind(409, 'Already reversed', 'All of the transaction was reversed before.'),
  reversal_too_late: kind(409, 'Reversal too late', 'The transaction is older than 400 days.'),
  too_many_reversals: kind(
    409,
    'Too many reversals',
    'The account or the transfer has as many reversals as it can remember.',
  ),
  period_not_over: kind(409, 'Period not over', 'Interest and fees are posted when the month is over.'),
  archive_run_in_progress: kind(
    409,
    'Archive run in progress',
    'One run moves events into the archive at a time; GET /admin/archive tells how it goes.',
  ),
  too_many_holds: kind(409, 'Too many holds', 'The account has as many open holds as it can have.'),
  revision_mismatch: kind(
    412,
    'Revision mismatch',
    'If-Match names another revision; read again and decide anew.',
  ),
  body_too_large: kind(413, 'Body too large', 'The body is larger than the API takes.'),
  unsupported_media_type: kind(
    415,
    'Unsupported media type',
    'Send application/json, or what the route names.',
  ),
  insufficient_funds: kind(
    422,
    'Insufficient funds',
    'The amount is more than balance and overdraft allow, less what is held.',
  ),
  transaction_limit_exceeded: kind(
    422,
    'Transaction limit exceeded',
    'The amount is more than the account allows for one debit.',
  ),
  daily_limit_exceeded: kind(
    422,
    'Daily limit exceeded',
    'The amount is more than is left of what may go out in a UTC day.',
  ),
  same_account: kind(422, 'Same account', 'A transfer needs two accounts.'),
  balance_limit_exceeded: kind(
    422,
    'Balance limit exceeded',
    'The balance would pass the largest one possible.',
  ),
  invalid_cloud_event: kind(
    422,
    'Invalid CloudEvent',
    'The attributes are not those of a CloudEvent 1.0 with JSON data.',
  ),
  unknown_event_type: kind(
    422,
    'Unknown event type',
    'No CloudEvent of this type asks the bank for anything.',
  ),
  batch_too_large: kind(422, 'Batch too large', 'A batch has more items than are taken at once, or none.'),
  idempotency_conflict: kind(
    422,
    'Idempotency conflict',
    'The same id was used before, for a request with another content.',
  ),
  reversal_exceeds_original: kind(
    422,
    'Reversal exceeds original',
    'No more can be reversed than is left of the transaction.',
  ),
  currency_mismatch: kind(422, 'Currency mismatch', 'The account is in another currency.'),
  rate_too_high: kind(422, 'Rate too high', 'A rate can be at most 100 percent a year.'),
  capture_exceeds_hold: kind(422, 'Capture exceeds hold', 'No more can be captured than is held.'),
  expiry_not_in_future: kind(422, 'Expiry not in the future', 'A hold must expire later than now.'),
  expiry_too_late: kind(422, 'Expiry too late', 'A hold must not last longer than 366 days.'),
  birth_date_in_future: kind(422, 'Birth date in the future', 'A person must have been born.'),
  birth_date_too_early: kind(422, 'Birth date too early', 'The date lies before the earliest one accepted.'),
  unknown_field: kind(422, 'Unknown field', 'The body has a field that the route does not know.'),
  missing_field: kind(422, 'Missing field', 'A required field is absent.'),
  invalid_type: kind(422, 'Wrong type', 'A field has the wrong JSON type.'),
  invalid_value: kind(422, 'Invalid value', 'A field is none of its possible values.'),
  invalid_format: kind(422, 'Invalid format', 'A text does not have the form it should have.'),
  invalid_id: kind(422, 'Invalid id', 'Ids are UUIDs.'),
  invalid_date: kind(422, 'Invalid date', 'Dates are YYYY-MM-DD and must exist.'),
  invalid_time: kind(422, 'Invalid time', 'Times are RFC 3339 with an offset, and must exist.'),
  invalid_cursor: kind(422, 'Invalid cursor', 'The cursor is not one that this list gave out.'),
  invalid_amount: kind(422, 'Invalid amount', 'An amount is a plain decimal number.'),
  amount_not_positive: kind(422, 'Amount not positive', 'The amount must be above zero.'),
  amount_negative: kind(422, 'Amount negative', 'The amount must not be below zero.'),
  amount_too_precise: kind(422, 'Amount too precise', 'The amount has more decimals than its currency.'),
  amount_too_large: kind(422, 'Amount too large', 'The amount is beyond the largest one accepted.'),
  unknown_currency: kind(422, 'Unknown currency', 'The code is not an ISO 4217 currency.'),
  invalid_text: kind(422, 'Invalid text', 'A text has control characters or is not well-formed Unicode.'),
  too_short: kind(422, 'Too short', 'A text is empty or too short.'),
  too_long: kind(422, 'Too long', 'A text is longer than accepted.'),
  out_of_range: kind(422, 'Out of range', 'A number is outside its range.'),
  invalid_month: kind(422, 'Invalid month', 'Months are YYYY-MM.'),
  month_in_future: kind(422, 'Month in the future', 'There is no statement of a month that has not begun.'),
  month_before_account: kind(
    422,
    'Month before the account',
    'The account was opened later; first_month has its first statement.',
  ),
  statement_too_large: kind(
    422,
    'Statement too large',
    'The month has more transactions than one statement; read them page by page.',
  ),
  time_in_future: kind(422, 'Time in the future', 'Nobody knows yet how an account will be then.'),
  conflicting_fields: kind(422, 'Conflicting fields', 'Two parameters were given that exclude each other.'),
  invalid_range: kind(422, 'Invalid range', 'A range ends before it begins.'),
  not_a_whole_day: kind(422, 'Not a whole day', 'Days begin at 00:00 UTC; give a date, or such a time.'),
  range_too_large: kind(
    422,
    'Range too large',
    'The range has more days, buckets or accounts than are added up at once; maximum and unit say how many.',
  ),
  headers_too_large: kind(431, 'Headers too large', 'URL and headers are larger than the API takes.'),
  internal_error: kind(500, 'Internal error', 'The service failed; the request id leads to its log.'),
  event_unreadable: kind(
    500,
    'Event unreadable',
    'An event that it takes cannot be read or applied; stream and revision say which. An operator has to look.',
  ),
  archive_damaged: kind(
    500,
    'Archive damaged',
    'Old events that it takes lie in the archive, which is missing or altered; an operator has to look.',
  ),
  not_supported: kind(
    501,
    'Not supported',
    'The configured event store offers this itself in another place, or lacks what it takes.',
  ),
  read_model_behind: kind(
    503,
    'Read model behind',
    'The read models have not seen your write yet; try again.',
  ),
  read_model_blocked: kind(
    503,
    'Read model blocked',
    'An event could not be applied; an operator has to look.',
  ),
  projection_not_led: kind(
    503,
    'Projection not led',
    'No worker has begun to keep the projections; try again.',
  ),
  store_unavailable: kind(503, 'Store unavailable', 'The store did not answer; try again.'),
  store_busy: kind(503, 'Store busy', 'Too much is waiting; try again.'),
  store_disk_full: kind(503, 'Disk full', 'There is no room to write; nothing was changed.'),
  shutting_down: kind(503, 'Shutting down', 'The service is stopping; try again.'),
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEM_CATALOG;

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEM_CATALOG, code);
}
