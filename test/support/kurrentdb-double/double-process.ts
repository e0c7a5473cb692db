/** Runs the double as a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CommandArguments, CommandName } from './commands.ts';

export interface DoubleProcessOptions {
  /** Default: any free one. A double that comes back must have its port again. */
  readonly port?: number;
  /** What survives a kill. */
  readonly stateFile?: string;
  readonly version?: string;
  readonly systemProjections?: boolean;
}

export interface DoubleProcess {
  readonly url: string;
  readonly port: number;
  /** Tells it to misbehave; resolves when it is set to. @throws Error with its reason */
  command<N extends CommandName>(name: N, ...args: CommandArguments<N>): Promise<void>;
  /** SIGSTOP: connections stay open and nothing moves. */
  pause(): void;
  resume(): void;
  /** SIGKILL. */
  kill(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

function argumentsOf({ port, stateFile, version, systemProjections }: DoubleProcessOptions): string[] {
  return [
    ...(port === undefined ? [] : ['--port', String(port)]),
    ...(stateFile === undefined ? [] : ['--state', stateFile]),
    ...(version === undefined ? [] : ['--version', version]),
    ...(systemProjections === true ? ['--system-projections'] : []),
  ];
}

async function nextLine(lines: Interface, end: Promise<unknown[]>): Promise<string> {
  const ended = end.then(([code]) => {
    throw new Error(`The double ended with ${code}.`);
  });
  const line: Promise<unknown[]> = once(lines, 'line');
  const [text] = await Promise.race([line, ended]);
  return String(text);
}

/** Resolves when it listens. Whoever starts it kills it. */
export async function startKurrentDbDoubleProcess(
  options: DoubleProcessOptions = {},
): Promise<DoubleProcess> {
  const args = ['--disable-warning=ExperimentalWarning', MAIN, ...argumentsOf(options)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const end: Promise<unknown[]> = once(child, 'exit');
  child.stdin.on('error', () => undefined);
  const url = await nextLine(lines, end);
  // Commands are answered in order, so each waits for the one before it.
  let answered: Promise<unknown> = Promise.resolve();
  const command = async (name: string, args: readonly unknown[]): Promise<void> => {
    child.stdin.write(`${JSON.stringify([name, ...args])}\n`);
    const answer = JSON.parse(await nextLine(lines, end)) as { error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
  };
  return {
    url,
    port: Number(new URL(url).port),
    command: (name, ...args) => {
      const next = answered.then(() => command(name, args));
      answered = next.catch(() => undefined);
      return next;
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: async () => {
      child.kill('SIGKILL');
      await end;
    },
  };
}
