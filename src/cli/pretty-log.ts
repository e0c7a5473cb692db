/** Makes pino's JSON lines readable for people; anything else passes as it is. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { prettyFactory } from 'pino-pretty';

/** Every line of a stream, readable and with its line break, one at a time. */
export async function* prettyLines(input: Readable): AsyncGenerator<string> {
  const format = prettyLine();
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }))
    yield format(line);
}

/** A function that makes one line readable and ends it with a line break. */
export function prettyLine(): (line: string) => string {
  const colorize = process.stdout.isTTY === true && process.stdout.hasColors();
  const format = prettyFactory({ colorize, translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l', singleLine: true });
  return (line) => {
    const text = format(line);
    return text.endsWith('\n') ? text : `${text}\n`;
  };
}
