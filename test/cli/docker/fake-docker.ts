/** A program `docker` for tests: it notes how it was called and answers from a table. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from '../temporary-directory.ts';

/** Shell commands by the pattern of the arguments that they answer, as in a shell's `case`. */
export type Answers = Readonly<Record<string, string>>;

/** An engine and a compose plugin that are fine, and a project without containers. */
export const WORKING: Answers = {
  'version *': 'echo 28.2.2',
  'compose version *': 'echo 2.40.3',
  'compose * ps *': 'true',
};

export interface FakeDocker {
  /** For the environment of the command under test. */
  readonly env: { readonly PATH: string };
  /** The arguments of every call so far, the checks for Docker itself left out. */
  calls(): readonly string[];
}

/** Puts the program first on the PATH. What is in no pattern fails. */
export function fakeDocker(answers: Answers): FakeDocker {
  const directory = join(temporaryDirectory(), 'bin');
  const log = join(directory, 'calls');
  const program = join(directory, 'docker');
  mkdirSync(directory);
  writeFileSync(program, script(log, answers));
  chmodSync(program, 0o755);
  return {
    env: { PATH: `${directory}${delimiter}${process.env.PATH}` },
    calls() {
      const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
      return lines.filter((line) => !/^(compose )?version /.test(line));
    },
  };
}

function script(log: string, answers: Answers): string {
  const branches = Object.entries(answers).map(
    ([pattern, commands]) => `  ${pattern.replaceAll(' ', '\\ ')}) ${commands} ;;`,
  );
  return `#!/bin/sh
here=$(dirname "$0")
printf '%s\\n' "$*" >>'${log}'
case "$*" in
${branches.join('\n')}
  *) echo "unexpected: $*" >&2; exit 99 ;;
esac
`;
}

/** A service that says it is ready, and the port at which it does. */
export async function readyService(): Promise<number> {
  const admin = {
    version: '1.2.3',
    role: 'api',
    pid: 7,
    started_at: '2026-01-01T00:00:00Z',
    uptime_seconds: 1,
  };
  const stores = {
    memory_bytes: 1,
    event_store: { kind: 'kurrentdb', location: 'kurrentdb:2113', events: 0, head_position: null },
    read_models: { kind: 'mongodb', location: 'mongodb:27017' },
    projections: [],
  };
  const server = createServer((request, response) => {
    const body = request.url === '/health/ready' ? { status: 'ready' } : { ...admin, ...stores };
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** What `docker compose ps --format json` says of a running container, with the port that it publishes. */
export function running(service: string, targetPort: number, publishedPort: number): string {
  return JSON.stringify({
    Name: `openbank-${service}-1`,
    Service: service,
    State: 'running',
    Health: 'healthy',
    Status: 'Up 2 minutes (healthy)',
    ExitCode: 0,
    Publishers: [{ URL: '127.0.0.1', TargetPort: targetPort, PublishedPort: publishedPort, Protocol: 'tcp' }],
  });
}
