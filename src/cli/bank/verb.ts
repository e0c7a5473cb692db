/** What the commands on persons, accounts and money share: their flags, asking the bank, printing what it says. */
import type { Body, RequestHeaders } from '../bank-client.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { print } from '../terminal.ts';
import { ask, type Request, type Success } from './ask.ts';
import { Refusal } from './refusal.ts';
import { type DocumentView, detailsTable, listTable, plain, type View } from './table.ts';

/** Flags of every verb. */
export const outputFlags = {
  json: { type: 'boolean', help: "Print the API's answer as it is" },
  quiet: { type: 'boolean', short: 'q', help: 'Print ids only' },
} as const;

/** Flags of a verb that changes something. */
export const writeFlags = {
  'idempotency-key': {
    type: 'string',
    value: 'KEY',
    help: 'Names this change, so that repeating it does not do it twice',
  },
  ...outputFlags,
} as const;

/** Flags of a verb that changes an account. */
export const guardedFlags = {
  'if-match': {
    type: 'string',
    value: 'REVISION',
    help: 'Only when the account still has the revision that account show printed',
  },
  ...writeFlags,
} as const;

/** Flags of a list. */
export const pageFlags = {
  limit: { type: 'string', value: 'N', help: 'Items a page (default 50, at most 200)' },
  cursor: { type: 'string', value: 'CURSOR', help: 'Go on behind the page that named it' },
  ...outputFlags,
} as const;

interface OutputValues {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

type WriteValues = OutputValues & {
  readonly 'idempotency-key'?: string;
  readonly 'if-match'?: string;
};

type PageValues = OutputValues & { readonly limit?: string; readonly cursor?: string };

/** Shows one document. */
export async function showOne(values: OutputValues, path: string, view: DocumentView): Promise<number> {
  const answer = await askFor(values, { method: 'GET', path });
  return conclude(values, answer, view, () => detailsTable(view, answer.body));
}

/** Does something that no read model tells of, and shows the answer. */
export async function showNew(
  values: OutputValues,
  request: Request,
  view: Pick<DocumentView, 'id' | 'details'>,
): Promise<number> {
  const answer = await askFor(values, request);
  return conclude(values, answer, view, () => detailsTable(view, answer.body));
}

/** Shows one page of a list; what is behind it is named on stderr, away from what scripts read. */
export async function showPage(
  values: PageValues,
  path: string,
  view: Pick<View, 'id' | 'columns' | 'plural'>,
  filter: Readonly<Record<string, string | undefined>> = {},
): Promise<number> {
  const { limit, cursor } = values;
  const answer = await askFor(values, { method: 'GET', path: path + queryOf({ ...filter, limit, cursor }) });
  const { items, next_cursor } = answer.body;
  const documents = Array.isArray(items) ? (items as readonly Body[]) : [];
  if (values.json) print(answer.text);
  else if (!values.quiet) print(listTable(view, documents));
  else if (documents.length > 0) print(...documents.map((document) => idOf(view, document)));
  if (!values.json && next_cursor !== undefined) {
    process.stderr.write(`There are more: --cursor ${plain(String(next_cursor))}\n`);
  }
  return EXIT.ok;
}

/**
 * Changes something and shows it as the read models have it then. It waits for them whatever is printed, so that
 * the next command sees the change.
 * @param view how it looks, or what says so by the bank's answer
 * @param judge looks at what is printed, and may throw a CliError
 */
export async function change(
  values: WriteValues,
  request: Request,
  view: DocumentView | ((answer: Body) => DocumentView),
  judge: (current: Body) => void = () => undefined,
): Promise<number> {
  const answer = await askFor(values, request, headersOf(values));
  const shown = typeof view === 'function' ? view(answer.body) : view;
  const current = await readAgain(shown.path(answer.body), answer);
  conclude(values, answer, shown, () => detailsTable(shown, current));
  judge(current);
  return EXIT.ok;
}

/** A read that fails takes nothing from the change, whose own answer stands in then. */
async function readAgain(path: string, { body, token }: Success): Promise<Body> {
  try {
    return (await ask({ method: 'GET', path }, token === null ? {} : { token })).body;
  } catch {
    return body;
  }
}

/** Sends a request; with `--json` a refusal is printed as it came, too. */
export async function askFor(
  { json }: OutputValues,
  request: Request,
  headers: RequestHeaders = {},
): Promise<Success> {
  try {
    return await ask(request, headers);
  } catch (error) {
    if (json && error instanceof Refusal) print(error.text);
    throw error;
  }
}

function conclude(
  { json, quiet }: OutputValues,
  answer: Success,
  view: Pick<DocumentView, 'id'>,
  table: () => string,
): number {
  if (json) print(answer.text);
  else print(quiet ? idOf(view, answer.body) : table());
  return EXIT.ok;
}

function idOf({ id }: Pick<DocumentView, 'id'>, document: Body): string {
  return plain(String(document[id]));
}

/** An ETag stands in quotes, which a shell would eat; a bare revision gets them here. */
function headersOf({ 'idempotency-key': key, 'if-match': revision }: WriteValues): RequestHeaders {
  const ifMatch = revision !== undefined && /^\d+$/.test(revision) ? `"${revision}"` : revision;
  return {
    idempotencyKey: headerValue('--idempotency-key', key),
    ifMatch: headerValue('--if-match', ifMatch),
  };
}

/** HTTP carries no other characters unharmed. */
function headerValue(flag: string, value: string | undefined): string | undefined {
  if (value === undefined || /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value)) return value;
  throw new CliError(`${flag} takes printable ASCII characters only, and needs one.`, EXIT.usage);
}

/** The parameters that were given, as the end of a URL. */
export function queryOf(parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}
