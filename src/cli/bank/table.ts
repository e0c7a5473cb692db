/** What the bank answers, as tables for people. Nothing is computed: amounts stay the text that the bank sent. */
import type { Body } from '../bank-client.ts';
import { alignColumns, paint } from '../terminal.ts';

/** A column of a list, or a line of a single document. */
export interface Field {
  readonly title: string;
  cell(document: Body): string;
  /** Figures stand to the right in lists. */
  readonly right?: boolean;
}

/** How one document of a kind looks. */
export interface DocumentView {
  /** The member that `--quiet` prints. */
  readonly id: string;
  /** Where the API shows a document, below `/api/v1`. */
  path(document: Body): string;
  readonly details: readonly Field[];
}

/** A kind that comes in lists, too. */
export interface View extends DocumentView {
  /** What a list of none is a list of. */
  readonly plural: string;
  readonly columns: readonly Field[];
}

/** One document, a line for each field that it has. */
export function detailsTable({ details }: Pick<DocumentView, 'details'>, document: Body): string {
  const rows = details.map(({ title, cell }) => [paint('bold', title), cell(document)]);
  return alignColumns(rows.filter(([, value]) => value !== ''));
}

/** Documents below one another. */
export function listTable(
  { columns, plural }: Pick<View, 'columns' | 'plural'>,
  documents: readonly Body[],
): string {
  if (documents.length === 0) return `There are no ${plural}.`;
  const header = columns.map(({ title }) => paint('bold', title));
  const rows = documents.map((document) => columns.map(({ cell }) => cell(document)));
  const right = columns.flatMap(({ right }, index) => (right ? [index] : []));
  return alignColumns([header, ...rows], { right });
}

/** A member as it is. */
export function field(title: string, name: string): Field {
  return { title, cell: (document) => textOf(document[name]) };
}

/** A figure or an amount in a column of its own. */
export function figure(title: string, name: string): Field {
  return { ...field(title, name), right: true };
}

/** An amount with its currency; nothing where there is no amount. */
export function money(title: string, name: string): Field {
  return {
    title,
    cell: (document) =>
      textOf(document[name]) && `${textOf(document[name])} ${textOf(document.currency)}`.trimEnd(),
  };
}

/** A moment to the second, in UTC. */
export function moment(title: string, name: string): Field {
  return {
    title,
    cell: (document) => textOf(document[name]).replace(/^(\S{10})T(\S{8})\.\d+Z$/, '$1 $2Z'),
  };
}

/** Text of customers must not steer the terminal. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ');
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : plain(String(value));
}
