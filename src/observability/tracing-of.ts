/** Tracing as a process is configured; what it needs is loaded only then. */
import type { Config } from '../config.ts';
import type { Tracing } from './tracing.ts';

export async function tracingOf(config: Config, service: string): Promise<Tracing | undefined> {
  if (config.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return undefined;
  const { startTracing } = await import('./tracing.ts');
  return startTracing(service);
}
