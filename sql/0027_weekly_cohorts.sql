create function shop.weekly_cohorts(
  from_time timestamptz default now() - interval '8 weeks',
  to_time   timestamptz default now(),
  time_zone text        default 'UTC'
) returns table (cohort_week date, weeks_later integer, cohort_users bigint, active_users bigint, retention numeric)
  language sql stable parallel safe
as $$
  with active as (
    select distinct e.user_id, date_trunc('week', e.event_time at time zone time_zone)::date as week
    from shop.events e
    where e.event_time < to_time
  ),
  cohorts as (
    select a.user_id, min(a.week) as cohort_week from active a group by a.user_id
  ),
  sizes as (
    select c.cohort_week, count(*) as cohort_users
    from cohorts c
    where c.cohort_week >= date_trunc('week', from_time at time zone time_zone)::date
    group by c.cohort_week
  ),
  returned as (
    select c.cohort_week, (a.week - c.cohort_week) / 7 as weeks_later, count(*) as active_users
    from cohorts c
    join active a on a.user_id = c.user_id
    group by 1, 2
  )
  select s.cohort_week, w.weeks_later, s.cohort_users, coalesce(r.active_users, 0),
         round(coalesce(r.active_users, 0)::numeric / s.cohort_users, 4)
  from sizes s
  cross join lateral generate_series(
    0, (date_trunc('week', (to_time - interval '1 microsecond') at time zone time_zone)::date - s.cohort_week) / 7
  ) as w (weeks_later)
  left join returned r on r.cohort_week = s.cohort_week and r.weeks_later = w.weeks_later
  order by s.cohort_week, w.weeks_later
$$;
comment on function shop.weekly_cohorts(timestamptz, timestamptz, text) is
  'Weekly cohort retention: users by the week of their first event ever, and how many of them came back in each later week (weeks_later 0 is the first itself, so 1.0). Weeks begin on Monday in time_zone. Scans all events up to to_time: first visits lie anywhere; what retention dropped is not seen. Example: select * from shop.weekly_cohorts(now() - interval ''12 weeks''). One row per cohort and week, up to the week of to_time.';
grant execute on function shop.weekly_cohorts(timestamptz, timestamptz, text)
  to clickledger_reader, clickledger_operator;
