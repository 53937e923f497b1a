/** What one call of `intake up` carries with it. */
import type { StateFolder } from './state-folder.ts';
import type { Screen } from './up-screen.ts';

export interface UpOptions {
  readonly files: readonly string[];
  /** Stop after the main job. */
  readonly once: boolean;
  /** One JSON object on stdout, and nothing else. */
  readonly json: boolean;
  /** What is not on this machine may be changed. */
  readonly yes: boolean;
  /** The API shall listen on it. */
  readonly port: string | undefined;
}

export interface Session {
  readonly options: UpOptions;
  readonly folder: StateFolder;
  readonly screen: Screen;
}
