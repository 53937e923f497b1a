import { describe, expect, it } from 'vitest';
import { detectTextSearchConfig } from '../../../src/chunking/detect-language.ts';

describe('detectTextSearchConfig', () => {
  it.each([
    ['english', 'You pay twenty dollars to see your primary care doctor, after the deductible.'],
    [
      'german',
      'Die Versicherung übernimmt die Kosten der Behandlung nach Abzug des Selbstbehalts.',
    ],
    ['french', "L'assuré doit payer le ticket modérateur pour chaque visite chez le médecin."],
    ['spanish', 'El asegurado debe pagar el copago en cada visita al médico de cabecera.'],
    ['danish', 'Selvrisikoen er fem hundrede kroner om året, og den skal betales af dig.'],
    ['finnish', 'Omavastuu on viisisataa euroa vuodessa jokaista vakuutettua kohden.'],
    ['russian', 'Ежегодная франшиза составляет пятьсот рублей для каждого застрахованного.'],
  ])('knows %s', (configuration, text) => {
    expect(detectTextSearchConfig(text)).toBe(configuration);
  });

  it.each([
    ['no text', ''],
    ['figures', '| 1,200 | 3.50 |\n|---|---|\n| 7 | $8 |'.repeat(20)],
    ['a few letters', 'RX 12'],
    [
      'a language without stemmer',
      '每位被保险人的年度免赔额为五百美元，超过部分由保险公司支付全部费用。',
    ],
  ])('falls back to simple for %s', (_, text) => {
    expect(detectTextSearchConfig(text)).toBe('simple');
  });

  it('is not misled by a foreign first page', () => {
    const cover = 'Please find the German version of your policy on the following pages. '.repeat(
      15,
    );
    const body = 'Die Versicherung übernimmt die Kosten der Behandlung im Krankenhaus. '.repeat(
      300,
    );
    expect(detectTextSearchConfig(cover + body)).toBe('german');
  });
});
