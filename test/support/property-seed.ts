/**
 * A property that failed prints its seed; `INTAKE_TEST_SEED=…` lets it fail again. Without it every run takes a new one.
 */
const seed = process.env['INTAKE_TEST_SEED'];

if (seed !== undefined) {
  const { configureGlobal } = await import('fast-check');
  configureGlobal({ seed: Number(seed) });
}
