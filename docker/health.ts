/** The image's health check: exits with 0 when the process in this container answers. */
const port = process.env.OPENBANK_PORT ?? '8899';
const TIMEOUT_MS = 4000;

const healthy = await fetch(`http://127.0.0.1:${port}/health/live`, {
  signal: AbortSignal.timeout(TIMEOUT_MS),
}).then(
  (response) => response.ok,
  () => false,
);
process.exit(healthy ? 0 : 1);
