/** What operators' commands work with: the settings of the environment, else those of the stack of this folder. */
import { findLocalSettings, stateFolder } from './local-stack.ts';

/** Another database than the stack's means another installation: then the environment has to give all of it. */
export function operatorEnvironment(
  environment: NodeJS.ProcessEnv = process.env,
  folder: string = stateFolder,
): NodeJS.ProcessEnv {
  const given = environment['DATABASE_URL'];
  const local = findLocalSettings(folder);
  if (local === undefined) return environment;
  return given && given !== local['DATABASE_URL'] ? environment : { ...environment, ...local };
}
