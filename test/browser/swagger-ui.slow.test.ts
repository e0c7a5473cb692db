/** The Swagger page in a real browser: it loads without errors, and its examples run as they are. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningBank, startBank } from '../support/running-bank.ts';

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const hasChromium = existsSync(CHROMIUM);

describe.skipIf(!hasChromium)(`the Swagger page${hasChromium ? '' : ' (skipped: no Chromium)'}`, () => {
  let bank: RunningBank;
  let browser: Browser;

  beforeAll(async () => {
    bank = await startBank();
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
    });
  });

  afterAll(async () => {
    await browser?.close();
    await bank?.close();
  });

  it('runs the examples in the order of the workflow', async () => {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    for (const operation of [
      'persons-registerPerson',
      'accounts-createAccount',
      'transactions-deposit',
      'accounts-getAccount',
      'transactions-getTransaction',
    ]) {
      const status = await execute(page, `${bank.url}/api/docs`, operation);
      expect([operation, status]).toEqual([operation, operation.includes('get') ? '200' : '201']);
    }
    expect(errors).toEqual([]);
  }, 60_000);
});

/** Opens the page anew, so that its examples name the newest ids, and executes one operation; answers the status. */
async function execute(page: Page, url: string, operation: string): Promise<string> {
  await page.goto(url);
  const block = page.locator(`#operations-${operation}`);
  await block.locator('.opblock-summary-control').click();
  await block.getByRole('button', { name: 'Execute' }).click();
  const status = block.locator('.live-responses-table .response .response-col_status').first();
  await status.waitFor();
  if (process.env.SCREENSHOT_DIR) {
    await page.screenshot({ path: `${process.env.SCREENSHOT_DIR}/${operation}.png`, fullPage: true });
  }
  return ((await status.textContent()) ?? '').trim().slice(0, 3);
}
