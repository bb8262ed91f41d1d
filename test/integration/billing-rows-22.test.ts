import { describeBillingRows } from './fixtures/billing-rows.ts';

describeBillingRows('22');
