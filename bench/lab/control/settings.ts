/** What API and workers of a control are told, as JSON in CONTROL_SETTINGS. */

export interface ControlSettings {
  readonly databaseUrl: string;
  readonly apiUrl: string;
  readonly storage: Endpoint;
  readonly parser: Endpoint;
  readonly embedder: Endpoint;
  /** Pause of a worker that found nothing; the original's was 5 s. */
  readonly pollMs: number;
  /** How long the second control's breaker stays open; the guide's was 60 s. */
  readonly breakerMs: number;
}

export interface Endpoint {
  readonly url: string;
  readonly key: string;
}

export function readSettings(): ControlSettings {
  return JSON.parse(process.env['CONTROL_SETTINGS'] ?? '{}') as ControlSettings;
}
