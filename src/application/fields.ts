/** The building blocks of every input schema, and the stable codes of what can be wrong with an input. */
import { z } from 'zod';
import { isCurrency } from '../domain/currency.ts';
import { isDecimal } from '../domain/money.ts';

/** One thing wrong with an input: where, a stable code, one sentence. */
export interface InputProblem {
  readonly path: readonly (string | number)[];
  readonly code: string;
  readonly detail: string;
}

/** A JSON number with more digits than a double holds. It is no text: only amounts take it. */
export class LongNumber {
  readonly #text: string;

  /** @param text as it was written */
  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** Integer digits beyond which no currency could hold the amount; the exact limit depends on its decimals. */
const WHOLE_DIGITS_MAX = 15;
/** More decimals than any currency has. */
const DECIMALS_MAX = 4;

type AmountCheck =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly code: string; readonly detail: string };

/**
 * An amount as a decimal string or a JSON number; parsed to the decimal text that was written.
 * The decimals are checked against the currency by the account, which knows it.
 */
function amount(description: string, example: number | string, least: 'positive' | 'zero') {
  const forms = [
    { type: 'string', pattern: '^\\d+(\\.\\d+)?$', examples: [String(example)] },
    { type: 'number', minimum: 0, examples: [Number(example)] },
  ] as const;
  return z
    .unknown()
    .transform((value, context) => {
      const checked = checkAmount(value, least);
      if (checked.ok) return checked.text;
      context.issues.push({
        code: 'custom',
        message: checked.detail,
        params: { code: checked.code },
        input: value,
      });
      return z.NEVER;
    })
    .meta({
      description: `${description} A decimal string, or a number, with no more decimals than the currency has.`,
      // The form of the example comes first, because that is the one that documentation shows.
      anyOf: typeof example === 'string' ? [...forms] : forms.toReversed(),
    });
}

function checkAmount(value: unknown, least: 'positive' | 'zero'): AmountCheck {
  if (value === undefined) return wrong('missing_field', 'is required.');
  if (typeof value !== 'string' && typeof value !== 'number' && !(value instanceof LongNumber)) {
    return wrong('invalid_type', 'must be a decimal string or a number.');
  }
  const text = typeof value === 'number' ? plainDecimal(value) : String(value);
  if (text === undefined) return wrong('amount_too_large', 'is too large.');
  if (!isDecimal(text)) return wrong('invalid_amount', 'must be a decimal number such as "12.50".');
  return checkDigits(text, least);
}

function checkDigits(text: string, least: 'positive' | 'zero'): AmountCheck {
  const zero = !/[1-9]/.test(text);
  if (least === 'positive' && (zero || text.startsWith('-'))) {
    return wrong('amount_not_positive', 'must be greater than zero.');
  }
  if (text.startsWith('-') && !zero) return wrong('amount_negative', 'must not be negative.');
  const [whole = '', fraction = ''] = text.split('.');
  if (whole.replace(/^-?0*/, '').length > WHOLE_DIGITS_MAX) return wrong('amount_too_large', 'is too large.');
  if (fraction.replace(/0+$/, '').length > DECIMALS_MAX) {
    return wrong('amount_too_precise', 'has more decimals than any currency.');
  }
  return { ok: true, text };
}

function wrong(code: string, detail: string): AmountCheck {
  return { ok: false, code, detail };
}

/** The shortest decimal form of a number, which is what the client wrote; `undefined` when it has none. */
function plainDecimal(value: number): string | undefined {
  const text = String(value);
  if (/^[-\d.]+$/.test(text)) return text;
  if (Math.abs(value) >= 1) return undefined;
  // It is below a millionth: which digits it has does not matter, because no currency has that many decimals.
  return `${value < 0 ? '-' : ''}0.${'0'.repeat(DECIMALS_MAX)}1`;
}

export const positiveAmount = (description: string, example: number | string) =>
  amount(description, example, 'positive');

export const nonNegativeAmount = (description: string, example: number | string) =>
  amount(description, example, 'zero');

export const id = (description: string, example: string) =>
  z
    .uuid()
    .toLowerCase()
    .meta({ description, examples: [example] });

/** Characters that no name or description has; some stores refuse them. */
const CONTROL = /\p{Cc}/u;

const INVALID_TEXT = {
  message: 'must be text without control characters.',
  params: { code: 'invalid_text' },
};

function isPlainText(value: string): boolean {
  return value.isWellFormed() && !CONTROL.test(value);
}

/** Text that a person wrote: trimmed, not empty, bounded. */
export const text = (description: string, maximum: number, example: string) =>
  z
    .string()
    .trim()
    .min(1)
    .max(maximum)
    .refine(isPlainText, INVALID_TEXT)
    .meta({ description, examples: [example] });

const LABELS_MAX = 20;

/** A client's own fields: short names and short texts, a bounded number of them. */
export const labels = (description: string, example: Readonly<Record<string, string>>) =>
  z
    .record(
      z.string().regex(/^[\w.-]{1,40}$/, 'named with 1 to 40 letters, digits, dots, dashes or underscores'),
      z.string().max(200).refine(isPlainText, INVALID_TEXT),
    )
    .refine((value) => Object.keys(value).length <= LABELS_MAX, {
      message: `must be at most ${LABELS_MAX}.`,
      params: { code: 'too_long' },
    })
    .meta({ description, examples: [example] });

export const currencyCode = z
  .string()
  .refine(isCurrency, {
    message: 'must be an ISO 4217 code such as "USD".',
    params: { code: 'unknown_currency' },
  })
  .meta({ description: 'ISO 4217 code.', examples: ['USD'] });

/** A calendar date that exists; `2023-02-30` does not. */
export const calendarDate = (description: string, example: string) =>
  z.iso.date().meta({ description, examples: [example] });

/** An instant: RFC 3339 with its offset from UTC. */
export const time = (description: string, example: string) =>
  z.iso.datetime({ offset: true }).meta({ description, examples: [example] });

/** The stable codes of zod's own findings; ours bring theirs in `params`. */
const CODES: Readonly<Record<string, string>> = {
  unrecognized_keys: 'unknown_field',
  invalid_value: 'invalid_value',
  too_small: 'too_short',
  too_big: 'too_long',
};

const FORMAT_CODES: Readonly<Record<string, string>> = {
  uuid: 'invalid_id',
  date: 'invalid_date',
  datetime: 'invalid_time',
};

const NOUNS: Readonly<Record<string, string>> = { object: 'an object', int: 'a whole number' };

/** A format of our own says in its message what it should be. */
const FORMATS: Readonly<Record<string, string>> = {
  uuid: 'must be a UUID.',
  date: 'must be a valid date.',
  datetime: 'must be a time such as 2026-01-15T09:30:00Z.',
};

export type CheckedInput<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly InputProblem[] };

/** Checks a value against its schema; every way into the program goes through here. */
export function checkInput<T>(schema: z.ZodType<T>, value: unknown): CheckedInput<T> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, problems: inputProblems(parsed.error) };
}

/** Says in our words what zod found, one entry for each field at fault. */
function inputProblems(error: z.ZodError): InputProblem[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: [...path, key],
        code: 'unknown_field',
        detail: 'is not a known field.',
      }));
    }
    return [{ path, code: codeOf(issue), detail: detailOf(issue) }];
  });
}

function codeOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'custom') return String(issue.params?.code ?? 'invalid_value');
  if (isMissing(issue)) return 'missing_field';
  if (issue.code === 'invalid_key') return 'invalid_format';
  if (issue.code === 'invalid_format') return FORMAT_CODES[issue.format] ?? 'invalid_format';
  if (issue.code === 'invalid_type') return 'invalid_type';
  if ((issue.code === 'too_small' || issue.code === 'too_big') && issue.origin !== 'string')
    return 'out_of_range';
  return CODES[issue.code] ?? 'invalid_value';
}

function detailOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'custom') return issue.message;
  if (isMissing(issue)) return 'is required.';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${NOUNS[issue.expected] ?? `a ${issue.expected}`}.`;
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}.`;
    case 'invalid_key':
      return `must be ${issue.issues[0]?.message}.`;
    case 'invalid_format':
      return FORMATS[issue.format] ?? `must be ${issue.message}.`;
    case 'too_small':
      return issue.origin === 'string' ? 'must not be empty.' : `must be at least ${issue.minimum}.`;
    case 'too_big':
      return issue.origin === 'string'
        ? `must be at most ${issue.maximum} characters long.`
        : `must be at most ${issue.maximum}.`;
    default:
      return 'is not valid.';
  }
}

function isMissing(issue: z.core.$ZodIssue): boolean {
  return (issue.code === 'invalid_type' || issue.code === 'invalid_value') && issue.input === undefined;
}
