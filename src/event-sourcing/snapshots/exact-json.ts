/**
 * A state as JSON that reads back equal: whole numbers without a bound (`bigint`) become `{"$bigint": "-123"}`, and
 * whatever JSON would change or drop is refused.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const BIGINT = '$bigint';
const WHOLE = /^-?(0|[1-9]\d*)$/;

/** @throws TypeError for a value that would not come back as it was: `undefined`, NaN, a Date, a Map, a key with `$` */
export function toExactJson(value: unknown): Json {
  switch (typeof value) {
    case 'bigint':
      return { [BIGINT]: value.toString() };
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (Number.isFinite(value) && !Object.is(value, -0)) return value;
      break;
    case 'object':
      if (value === null) return null;
      if (Array.isArray(value)) return Array.from(value, toExactJson);
      if (isPlain(value)) return Object.fromEntries(Object.entries(value).map(encodedField));
  }
  throw new TypeError(`A state that holds ${describe(value)} has no exact JSON.`);
}

/** @throws TypeError for what `toExactJson` cannot have written */
export function fromExactJson(json: Json): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(fromExactJson);
  const fields = json as { readonly [key: string]: Json };
  const digits = fields[BIGINT];
  if (digits === undefined) {
    return Object.fromEntries(Object.entries(fields).map(([key, inner]) => [key, fromExactJson(inner)]));
  }
  if (typeof digits !== 'string' || !WHOLE.test(digits)) throw new TypeError('A whole number is not one.');
  return BigInt(digits);
}

function encodedField([key, value]: [string, unknown]): [string, Json] {
  if (key.startsWith('$')) throw new TypeError(`A state with a key ${key} has no exact JSON.`);
  return [key, toExactJson(value)];
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describe(value: unknown): string {
  return typeof value === 'object' ? `a ${value?.constructor?.name}` : String(value);
}
