/** Tests see nothing of the caller's configuration: no real service can be reached by accident. */
import { settings } from '../../src/config.ts';

/** All but `INTAKE_TEST_*`, by which somebody asks for a real service on purpose. */
const families =
  /^(TEMPORAL_|DATABASE_|SUPABASE_|LLAMA_|OPENAI_|EMBEDDINGS_|INTAKE_(?!TEST_)|OTEL_|PG)/;

export function isolateEnvironment(): void {
  for (const key of Object.keys(process.env)) {
    if (families.test(key) || key in settings.shape) delete process.env[key];
  }
  process.env['TEMPORAL_CONFIG_FILE'] = '/dev/null'; // else the profile in the home folder counts
}
