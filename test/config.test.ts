/** Settings that are refused at the start: what could only fail later, and no password in what is said of it. */
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../src/config.ts';

describe('a source of CloudEvents', () => {
  it.each(['openbank', '/bank', 'https://bank.example/a?b=c#d', 'urn:bank:1', '//bank/%C3%BC'])(
    'may be %s',
    (source) => {
      expect(loadConfig({ CLOUD_EVENT_SOURCE: source }).cloudEventNaming.source).toBe(source);
    },
  );

  it.each(['Open Bank', 'b\u00fcro', '%zz', '{bank}', 'a\nb'])('cannot be %j', (source) => {
    expect(() => loadConfig({ CLOUD_EVENT_SOURCE: source })).toThrow(
      /^CLOUD_EVENT_SOURCE=.* is not usable: it must be a URI/s,
    );
  });
});

describe('the archive', () => {
  const server = { OPENBANK_EVENT_STORE: 'kurrentdb://db:2113' };

  it.each([
    ['beside the embedded store', { OPENBANK_DATA_DIR: '/bank' }, '/bank/archive'],
    ['where it is named', { OPENBANK_DATA_DIR: '/bank', OPENBANK_ARCHIVE_DIR: '/cold' }, '/cold'],
    ['where it is named, with a server', { ...server, OPENBANK_ARCHIVE_DIR: '/cold' }, '/cold'],
    ['nowhere, with a server: only its operator knows what its processes share', server, undefined],
    [
      'nowhere, in memory',
      { OPENBANK_EVENT_STORE: 'sqlite::memory:', OPENBANK_ARCHIVE_DIR: '/cold' },
      undefined,
    ],
  ])('is %s', (_where, settings, directory) => {
    expect(loadConfig(settings).archiveDir).toBe(directory);
  });
});

describe('a sink', () => {
  it.each([
    ['ftp://user:secret@sink.example/', 'CLOUD_EVENT_SINK=ftp://…@sink.example/ is not usable'],
    ['http//user:secret@sink.example/', 'CLOUD_EVENT_SINK=http//…@sink.example/ is not usable'],
    ['http://user:s%zzecret@sink.example/', 'it must have a user and a password in percent-encoded UTF-8'],
    ['http://user:s@cret@[sink/', 'CLOUD_EVENT_SINK=http://…@[sink/ is not usable'],
  ])('that is wrong is told without its password (%s)', (sink, sentence) => {
    let message = '';
    try {
      loadConfig({ CLOUD_EVENT_SINK: sink });
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain(sentence);
    expect(message).not.toContain('cret');
  });
});
