/** `--docker`: that the containers are started and listed, against a program that stands in for Docker. */
import { describe, expect, it } from 'vitest';
import { readContainers } from '../../../src/cli/docker/containers.ts';
import { cliIn } from '../run-cli.ts';
import { temporaryDirectory } from '../temporary-directory.ts';
import { fakeDocker, readyService, running, WORKING } from './fake-docker.ts';

it('start --docker starts the containers and tells where the API is', async () => {
  const port = await readyService();
  const docker = fakeDocker({
    ...WORKING,
    'compose up *': 'true',
    'compose * ps *': `echo '${running('api', 8899, port)}'`,
  });
  const cli = await cliIn(temporaryDirectory());
  const { code, stdout } = await cli.run(['start', '--docker'], docker.env);
  expect(code).toBe(0);
  expect(docker.calls()[0]).toMatch(/^compose up --detach .*--wait/);
  expect(stdout).toContain(`http://127.0.0.1:${port}/api/v1`);
});

describe('the list of containers', () => {
  const [one, two] = [running('api', 8899, 1), running('worker', 8899, 0)];
  it.each([
    ['a line each', `${one}\n${two}\n`],
    ['one array', `[${one},${two}]`],
  ])('is read as %s', (_how, text) => {
    expect(readContainers(text).map(({ Service }) => Service)).toEqual(['api', 'worker']);
  });

  it('is empty without containers, and refused when it is something else', () => {
    expect(readContainers('\n')).toEqual([]);
    expect(readContainers('[]')).toEqual([]);
    expect(() => readContainers('NAME  SERVICE')).toThrow(/is not understood/);
  });
});
