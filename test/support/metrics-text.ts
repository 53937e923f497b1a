/** Reads Prometheus' text format as far as a test needs it. */

/** Sum of the samples of `name` that have these labels; `undefined` when there is none. */
export function sumOf(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const values = text.split('\n').flatMap((line) => {
    const [, found, own = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    const pairs = own.split(',');
    return found === name && wanted.every((pair) => pairs.includes(pair)) ? [Number(value)] : [];
  });
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

/** What a process tells at its metrics address. */
export async function metricsAt(address: string): Promise<string> {
  return await (await fetch(`http://${address}/metrics`)).text();
}
