"""Which built-in functions and operators never make NULL out of something else.

Strictness does not say so: `->` and `substring` are strict, and NULL on a miss.
"""

# Never NULL, whatever their arguments.
ALWAYS = frozenset(
    """clock_timestamp concat count cume_dist current_database
    dense_rank gen_random_uuid json_build_array json_build_object jsonb_build_array
    jsonb_build_object nextval now num_nonnulls num_nulls percent_rank
    pg_backend_pid pi random rank regr_count row_number statement_timestamp timeofday
    transaction_timestamp txid_current uuidv4 uuidv7 version""".split()  # noqa: SIM905 - a list of names reads best so
)

# NULL only if an argument is.
STRICT = frozenset(
    """abs acos age array_append array_cat array_prepend array_remove array_replace
    array_to_json ascii asin atan atan2 bit_length btrim cardinality cbrt ceil ceiling
    char_length character_length chr concat_ws convert_from convert_to cos date_bin
    date_trunc decode degrees div encode exp factorial floor format
    gcd generate_series get_bit get_byte greatest hashtext hashtextextended initcap
    isfinite json_typeof jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_typeof
    justify_days justify_hours justify_interval lcm left length ln log lower lpad ltrim
    make_date make_interval make_time make_timestamp make_timestamptz md5 mod ntile
    octet_length overlay position power quote_ident quote_literal quote_nullable radians
    range_merge regexp_count regexp_instr regexp_like regexp_replace repeat replace
    reverse right round row_to_json rpad rtrim sha224 sha256 sha384 sha512 sign sin
    split_part sqrt starts_with string_to_array strpos substr tan timezone to_ascii
    to_date to_hex to_json to_jsonb to_timestamp to_tsquery to_tsvector
    translate trim trunc ts_rank upper width_bucket websearch_to_tsquery
    plainto_tsquery phraseto_tsquery cosine_distance inner_product l1_distance
    l2_distance l2_normalize subvector vector_dims vector_norm""".split()  # noqa: SIM905 - a list of names reads best so
)

# Of a group that has rows: NULL only if the argument is.
AGGREGATES = frozenset(
    """array_agg avg bit_and bit_or bool_and bool_or every json_agg json_object_agg
    jsonb_agg jsonb_object_agg max min mode percentile_cont percentile_disc string_agg
    sum""".split()  # noqa: SIM905 - a list of names reads best so
)

# These aggregates take NULLs in as they are.
COLLECTING = frozenset({"array_agg", "json_agg", "jsonb_agg"})

# Of the default frame, which holds the row itself: NULL only if the argument is.
WINDOWS = frozenset({"first_value", "last_value"}) | AGGREGATES

OPERATORS = frozenset(
    """+ - * / % ^ || = <> != < > <= >= ~ ~* !~ !~* ~~ ~~* !~~ !~~* & | << >> ~ @> <@
    && ? ?| ?& ^@ @ |/ ||/ -|- <-> <=> <#> <+>""".split()  # noqa: SIM905 - a list of names reads best so
)
