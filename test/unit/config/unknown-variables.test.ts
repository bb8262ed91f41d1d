import { describe, expect, it } from 'vitest';
import { unknownVariables } from '../../../src/config/unknown-variables.ts';

describe('a variable whose section is not there', () => {
  it.each([
    ['MES_AMMI_SECRET', 'did you mean "MES_AMI_SECRET"?'],
    ['MES_HTPP_TOKEN', 'did you mean "MES_HTTP_TOKEN"?'],
    ['MES_MEASUREMENT_ENABLED', 'did you mean "MES_MEASUREMENTS_ENABLED"?'],
    ['MES_COLECTOR_STORE', 'did you mean "MES_COLLECTOR_STORE"?'],
    ['MES_COLLECTOR_STOR', 'did you mean "MES_COLLECTOR_STORE"?'],
    ['MES_TOKEN', 'settings are named MES_SECTION_KEY, such as MES_HTTP_TOKEN'],
  ])('%s', (name, advice) => {
    expect(unknownVariables({ [name]: 'a secret', PATH: '/bin' })).toEqual([
      `environment variable ${name} is no setting, and is ignored; ${advice}`,
    ]);
  });

  it('is not one of these: they are settings, or refused where the settings are read', () => {
    const names = [
      'MES_AMI_SECRET',
      'MES_AMI_SERCET',
      'MES_PROFILE_CUSTOM_BASE_R',
      'MES_CODEC_G729_IE',
      'MES_ENDPOINT_PJSIP_MOBILE_ADVANTAGE',
      'MES_ALERT_LOSS_RAISE',
      'MES_S3_REGION',
      'MES_COLLECTOR_STORE',
      'mes_http_token',
      'MESSAGE_TOKEN',
    ];
    expect(unknownVariables(Object.fromEntries(names.map((name) => [name, 'x'])))).toEqual([]);
  });
});
