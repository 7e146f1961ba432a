"""From desired and live to a plan: diff, order, guard rails, rendering. Pure: no clock, no network, no AWS."""
