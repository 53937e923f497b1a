/** The first control's API as a process: a job is born `uploaded`. */
import { createControlApi, listen } from './api.ts';
import { readSettings } from './settings.ts';

const settings = readSettings();
await listen(createControlApi(settings, 'uploaded'), settings);
