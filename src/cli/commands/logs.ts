/** `logs`: the end of the service's log, readable or as JSON lines, and what comes after it. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { CliError, EXIT } from '../cli-error.ts';
import { defineCommand, wholeNumber } from '../command.ts';
import { dockerFlag } from '../docker/flag.ts';
import { readStackLog } from '../docker/stack.ts';
import { type FilePart, follow, readParts, tailParts } from '../log-tail.ts';
import { prettyLines } from '../pretty-log.ts';
import { logFile, readConfig } from '../project.ts';

export const logs = defineCommand({
  name: 'logs',
  summary: 'Show the log.',
  details:
    'With --docker: the logs of API and worker. docker compose logs SERVICE shows those of the others.',
  options: {
    follow: { type: 'boolean', short: 'f', help: 'Go on with what is being written, until Ctrl-C' },
    lines: { type: 'string', short: 'n', value: 'N', help: 'Show the last N lines (default 50)' },
    json: { type: 'boolean', help: 'Show the JSON lines as they are' },
    ...dockerFlag,
  },
  async run({ follow: following = false, lines, json, docker }) {
    const path = logFile(readConfig());
    const count = wholeNumber('--lines', lines, { fallback: 50, min: 0, max: 1_000_000 });
    const bytes = Readable.from(
      docker ? readStackLog(count, following) : await readLog(path, count, following),
    );
    for await (const chunk of json ? bytes : prettyLines(bytes)) {
      if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
    }
    return EXIT.ok;
  },
});

async function readLog(path: string, count: number, following: boolean): Promise<AsyncIterable<Buffer>> {
  const parts = await tailParts(path, Math.max(count, 1));
  if (parts.length === 0 && !following) {
    throw new CliError(`There is no log at ${path} yet; ./openbank start begins one.`);
  }
  return following ? tailAndFollow(path, parts, count) : readParts(shown(parts, count));
}

async function* tailAndFollow(
  path: string,
  parts: readonly FilePart[],
  count: number,
): AsyncGenerator<Buffer> {
  const newest = parts.find((part) => part.path === path);
  yield* readParts(shown(parts, count));
  yield* follow(path, newest?.end ?? 0, new AbortController().signal);
}

/** With `-n 0` the parts only tell where the log ends. */
function shown(parts: readonly FilePart[], count: number): readonly FilePart[] {
  return count === 0 ? [] : parts;
}
