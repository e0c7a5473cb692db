/** The log: pino's JSON lines, buffered off the request path, rotated by size when they go to a file. */
import { openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import pino from 'pino';
import { makeDirectory } from './adapters/files/make-directory.ts';
import type { Config } from './config.ts';

type Destination = ReturnType<typeof pino.destination>;

/** What pino writes to. `flushSync` is what pino calls after a fatal line. */
interface LogStream {
  write(line: string): void;
  flushSync(): void;
  close(): Promise<void>;
}

/** A full log becomes `.1`, and the oldest beyond `files` goes. */
export interface Rotation {
  readonly maxBytes: number;
  readonly files: number;
}

const ROTATION: Rotation = { maxBytes: 10 * 1024 * 1024, files: 5 };
const FLUSH_EVERY_MS = 200;
const CLOSE_WITHIN_MS = 1000;

const PERSONAL = ['first_name', 'last_name', 'date_of_birth', 'address'];
// Paths under req, res or err are left out on purpose: they would cost every request, and nothing logs bodies there.
const HOLDERS = ['', 'body.', 'data.', 'document.', 'event.data.', 'command.', 'input.', 'person.'];

export interface Logging {
  readonly logger: pino.Logger;
  /** Writes what is buffered and closes the file; never rejects, and takes a second at most. */
  close(): Promise<void>;
}

/**
 * Makes the process's logger, to the configured file or to stdout.
 * @throws when the log file cannot be opened.
 */
export function createLogger(
  config: Pick<Config, 'logLevel' | 'logFile'>,
  rotation: Rotation = ROTATION,
): Logging {
  const stream = logStream(config.logFile ? rotatingFile(config.logFile, rotation) : standardOutput());
  const options: pino.LoggerOptions = {
    level: config.logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: HOLDERS.flatMap((holder) => PERSONAL.map((name) => holder + name)),
      censor: '[redacted]',
    },
  };
  return { logger: pino(options, stream), close: () => stream.close() };
}

/** Writes in the background; beyond `maxLength` a stuck disk or reader costs log lines, not memory. */
function buffered(fd: number, name: string): Destination {
  const destination = pino.destination({
    dest: fd,
    sync: false,
    minLength: 4096,
    maxLength: 8 * 1024 * 1024,
    periodicFlush: FLUSH_EVERY_MS,
  });
  // A full disk must not stop the bank: it is said once, and pino tries again with the next line.
  let told = false;
  destination.on('error', (error: Error) => {
    if (!told) process.stderr.write(`openbank: the log cannot be written to ${name}: ${error.message}\n`);
    told = true;
  });
  return destination;
}

/** Lines that come after the close are dropped, because a late one must not throw in whoever logs it. */
function logStream(current: () => Destination): LogStream {
  let closed = false;
  return {
    write(line) {
      if (!closed) current().write(line);
    },
    flushSync() {
      if (!closed) current().flushSync();
    },
    close() {
      if (closed) return Promise.resolve();
      closed = true;
      return end(current());
    },
  };
}

function standardOutput(): () => Destination {
  const destination = buffered(1, 'stdout');
  return () => destination;
}

/** A file is opened synchronously, so that a wrong path is a startup error and a crash can still be logged. */
function rotatingFile(path: string, rotation: Rotation): () => Destination {
  makeDirectory(dirname(path));
  let destination = open();

  function open(): Destination {
    const opened = buffered(openSync(path, 'a'), path);
    let size = statSync(path).size;
    opened.on('write', (bytes: number) => {
      size += bytes;
      if (size >= rotation.maxBytes && opened === destination) rotate();
    });
    return opened;
  }

  function rotate(): void {
    const full = destination;
    try {
      shiftFiles(path, rotation);
      destination = open();
      full.end();
    } catch {
      // A directory that was removed or made read-only leaves the old file in use.
      destination = full;
    }
  }

  return () => destination;
}

function shiftFiles(path: string, { maxBytes, files }: Rotation): void {
  // Another thread that writes the same log may have moved the full file already.
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) < maxBytes) return;
  for (let number = files - 1; number >= 1; number -= 1) {
    const from = number === 1 ? path : `${path}.${number - 1}`;
    if (statSync(from, { throwIfNoEntry: false })) renameSync(from, `${path}.${number}`);
  }
}

function end(destination: Destination): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, CLOSE_WITHIN_MS);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    destination.once('close', done);
    destination.once('error', done);
    destination.end();
  });
}
