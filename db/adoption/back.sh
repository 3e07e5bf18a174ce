#!/usr/bin/env bash
# Copies the rows of an adopted database into an empty one that the old backend's own
# migrations have made: the way back, see docs/adopting.md. Reads DATABASE_URL_DIRECT,
# else DATABASE_URL, and writes to the URL that it is given.
set -euo pipefail
from=${DATABASE_URL_DIRECT:-$DATABASE_URL}
to=$1
# Of a time with a zone, a column without one reads all but the zone: the old backend
# takes it for UTC.
export PGOPTIONS='-c TimeZone=UTC'

ask() { # URL QUERY
    psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$1" --command="$2"
}

for table in users chat_sessions chat_messages cart_items orders order_items; do
    columns=$(ask "$to" "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
        FROM pg_attribute
        WHERE attrelid = '$table'::regclass AND attnum > 0 AND NOT attisdropped")
    case $table in
        # There, everybody has an e-mail address.
        users) values=${columns/email,/"coalesce(email, '') AS email,"} order=created_at ;;
        # Messages of one time are shown as they lie in the table.
        chat_messages) values=$columns order=position ;;
        *) values=$columns order=created_at ;;
    esac
    ask "$from" "COPY (SELECT $values FROM $table ORDER BY $order) TO STDOUT" |
        ask "$to" "COPY $table ($columns) FROM STDIN"
    echo "copied $(ask "$to" "SELECT count(*) FROM $table") rows of $table"
done
ask "$from" "SELECT count(*) || ' wallet keys are encrypted so that only the store can read them'
    FROM users WHERE sui_private_key_encrypted LIKE 'v1.%'"
ask "$from" "SELECT 'in Redis: SET sui:indexer:cursor ' || quote_literal(json_build_object(
        'txDigest', place ->> 'tx_digest', 'eventSeq', place ->> 'event_seq'
    ))
    FROM chain_cursor, to_jsonb(chain_cursor) AS place WHERE place ? 'tx_digest'"
