/**
 * The double as a process of its own, for tests that kill or stop it:
 * `node main.ts [--port N] [--state FILE] [--version V] [--system-projections]`. Its first line on stdout is its URL. After
 * that it takes one command a line on stdin, a JSON array of a name and arguments such as `["failWrites","drop_after_commit",1]`,
 * and answers each with one line: `{"done":NAME}` or `{"error":REASON}`. It ends when stdin does.
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { COMMANDS, type CommandName } from './commands.ts';
import { type KurrentDbDouble, type KurrentDbDoubleOptions, startKurrentDbDouble } from './index.ts';

function readOptions(): KurrentDbDoubleOptions {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      state: { type: 'string' },
      version: { type: 'string' },
      'system-projections': { type: 'boolean', default: false },
    },
  });
  return {
    systemProjections: values['system-projections'],
    ...(values.port === undefined ? {} : { port: Number(values.port) }),
    ...(values.state === undefined ? {} : { stateFile: values.state }),
    ...(values.version === undefined ? {} : { version: values.version }),
  };
}

function obey(double: KurrentDbDouble, line: string): string {
  try {
    const [name, ...args] = JSON.parse(line) as [CommandName, ...unknown[]];
    const command: ((double: KurrentDbDouble, ...args: never[]) => void) | undefined = COMMANDS[name];
    if (command === undefined) throw new Error(`There is no command ${name}.`);
    command(double, ...(args as never[]));
    return JSON.stringify({ done: name });
  } catch (error) {
    return JSON.stringify({ error: error instanceof Error ? error.message : String(error) });
  }
}

const double = await startKurrentDbDouble(readOptions());
console.log(double.url);
for await (const line of createInterface({ input: process.stdin })) console.log(obey(double, line));
await double.close();
