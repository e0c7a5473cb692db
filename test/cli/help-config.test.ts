/** The settings' table is complete, because it is read from the schema. */
import { describe, expect, it } from 'vitest';
import { settingRows } from '../../src/cli/commands/help.ts';
import { loadConfig } from '../../src/config.ts';
import { settings } from '../../src/settings.ts';

describe('help config', () => {
  it('has a row with a description for every setting, in order', () => {
    const rows = settingRows();
    expect(rows.map(({ variable }) => variable)).toEqual(Object.keys(settings));
    for (const { description } of rows) expect(description).toMatch(/\w{3}/);
  });

  it('shows defaults that the service accepts as they are', () => {
    const shown = settingRows().filter(({ fallback }) => fallback !== '-');
    const env = Object.fromEntries(shown.map(({ variable, fallback }) => [variable, fallback]));
    expect(shown.length).toBeGreaterThan(3);
    expect(loadConfig(env)).toEqual(loadConfig({}));
  });
});
