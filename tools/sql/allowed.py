"""What may stand in a statement for PostgreSQL, MySQL and DuckDB: nodes of its syntax tree, and functions.

A function is listed when it computes from its arguments alone: it reaches no file, setting, lock or session.
"""

from crowquill.tools.sql.guard import FUNCTIONS

_NODE_NAMES = """
    Add Adjacent Alias Aliases All And Any AtTimeZone Between Binary BitwiseAnd BitwiseLeftShift BitwiseNot
    BitwiseOr BitwiseRightShift BitwiseXor Boolean Bracket Case CharacterSet Column CTE Cube DataType
    DataTypeParam Distinct Div DPipe EQ Escape Except Fetch Filter From Glob Group GroupingSets GT GTE Having
    HexString Identifier IgnoreNulls ILike In IntDiv Intersect Interval IntervalSpan Introducer Is Join
    JSONExtractQuote JSONKeyValue JSONPath JSONPathKey JSONPathRoot JSONPathSlice JSONPathSubscript
    JSONPathWildcard Kwarg Lambda Lateral Like Limit Literal LT LTE Mod Mul National Neg NEQ Not Null NullSafeEQ
    NullSafeNEQ Offset Or Order Ordered Overlaps Paren Pivot PositionalColumn PropertyEQ Qualify RespectNulls
    Rollup Select SimilarTo Slice Star Sub Subquery Table TableAlias Tuple Union Unnest Values Var Whens Where
    Window WindowSpec With WithinGroup Xor
"""
NODES = frozenset(_NODE_NAMES.split())
"""Syntax that only reads: no Into, Lock, Command, Hint, Placeholder, Parameter, SessionParameter, DML, DDL."""

_TYPED_NAMES = """
    Abs Acos Acosh AddMonths And AnyValue ApproxDistinct ApproxQuantile ArgMax ArgMin Array ArrayAgg ArrayAll
    ArrayAny ArrayAppend ArrayConcat ArrayContainedBy ArrayContains ArrayContainsAll ArrayDistinct ArrayFilter
    ArrayFirst ArrayLast ArrayMax ArrayMin ArrayOverlaps ArrayPosition ArraySize ArraySlice ArraySort ArraySum
    ArrayToString Ascii Asin Asinh Atan Atan2 Atanh Avg BitLength BitwiseAndAgg BitwiseCount BitwiseOrAgg
    BitwiseXorAgg ByteLength Case Cast Cbrt Ceil Chr Coalesce Collate Concat ConcatWs Contains Convert Corr Cos
    Cosh Cot Count CountIf CovarPop CovarSamp CumeDist CurrentDate CurrentDatetime CurrentTime CurrentTimestamp
    Date DateAdd DateBin DateDiff DateFromParts DateFromUnixDate DateStrToDate DateSub Datetime DatetimeAdd
    DatetimeDiff DatetimeSub DatetimeTrunc DateToDateStr DateTrunc Day Dayname DayOfMonth DayOfWeek DayOfWeekIso
    DayOfYear Degrees DenseRank Elt EndsWith Exists Exp Explode ExplodingGenerateSeries Extract Factorial First
    FirstValue Floor Format GenerateDateArray GenerateSeries GenerateTimestampArray Greatest GroupConcat
    Grouping GroupingId Hex Hour If Initcap IsInf IsNan JarowinklerSimilarity JSONArray JSONArrayAgg
    JSONArrayContains JSONBContains JSONBExists JSONBExtract JSONBExtractScalar JSONBObjectAgg JSONExists
    JSONExtract JSONExtractArray JSONExtractScalar JSONFormat JSONKeys JSONObject JSONObjectAgg JSONStripNulls
    JSONType JSONValueArray JustifyDays JustifyHours JustifyInterval Kurtosis Lag Last LastDay LastValue Lead
    Least Left Length Levenshtein List Ln Localtime Localtimestamp Log LogicalAnd LogicalOr Lower MakeInterval
    Map MapKeys MapSize Max MD5 Median Min Minute Mode Month Monthname MonthsBetween Nanvl Normalize NthValue
    Ntile Nullif NumberToStr Or Overlay Pad ParseJSON ParseTime PercentileCont PercentileDisc PercentRank Pi
    Posexplode Pow Quantile Quarter Radians Rank RegexpCount RegexpExtract RegexpExtractAll RegexpFullMatch
    RegexpILike RegexpInstr RegexpLike RegexpReplace RegexpSplit RegexpSubstr RegrAvgx RegrAvgy RegrCount
    RegrIntercept RegrR2 RegrSlope RegrSxx RegrSxy RegrSyy Repeat Replace Reverse Right Round RowNumber
    SafeDivide Second SHA SHA2 Sign Sin Sinh Skewness Soundex Space Split SplitPart Sqrt StartsWith Stddev
    StddevPop StddevSamp String StringToArray StrPosition StrToDate StrToTime StrToUnix Struct StructExtract
    Substring SubstringIndex Sum Tan Tanh Time TimeAdd TimeDiff TimeFromParts Timestamp TimestampAdd
    TimestampDiff TimestampFromParts TimestampSub TimestampTrunc TimeStrToDate TimeStrToTime TimeSub TimeToStr
    TimeToUnix TimeTrunc ToArray ToChar ToDays ToNumber Translate Trim Trunc TryCast TsOrDsAdd TsOrDsDiff
    TsOrDsToDate TsOrDsToDateStr TsOrDsToDatetime TsOrDsToTime TsOrDsToTimestamp Typeof Unhex Unicode UnixDate
    UnixMicros UnixMillis UnixSeconds UnixToStr UnixToTime Unnest Upper UtcDate UtcTime UtcTimestamp Variance
    VariancePop Week WeekOfYear WidthBucket Xor Year
"""
TYPED = frozenset(_TYPED_NAMES.split())
"""Functions that sqlglot knows by a class of their own."""

_FURTHER_NAMES = """
    age any_value approx_count_distinct approx_quantile arg_max arg_min array_agg array_distinct array_length
    array_slice array_sort array_to_string array_upper bar bit_and bit_or bit_xor bool_and bool_or btrim
    cardinality cbrt century char_length character_length clock_timestamp corr cot count_if covar_pop covar_samp
    damerau_levenshtein date_add date_diff date_format date_part date_sub date_trunc datediff day dayname
    dayofmonth dayofweek dayofyear div entropy epoch epoch_ms every extract field find_in_set first from_days
    from_json from_unixtime fsum gcd generate_series geomean greatest hamming histogram hour initcap isfinite
    isnull isodow isoyear jaccard jaro_similarity jaro_winkler_similarity json_agg json_array_elements
    json_array_elements_text json_arrayagg json_build_array json_build_object json_contains json_each_text
    json_extract_path json_extract_path_text json_group_structure json_keys json_object_agg json_object_keys
    json_objectagg json_search json_typeof json_unquote json_value jsonb_agg jsonb_array_elements
    jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text
    jsonb_extract_path jsonb_extract_path_text jsonb_object_agg jsonb_object_keys jsonb_path_exists
    jsonb_path_query jsonb_pretty jsonb_typeof justify_days justify_hours justify_interval kahan_sum kurtosis
    last last_day lcm least left len levenshtein list list_aggregate list_contains list_count list_distinct
    list_filter list_sort list_sum list_transform list_unique list_value list_zip locate lpad mad make_date
    make_interval make_time make_timestamp makedate map max_by mid min_by minute mode month monthname
    nfc_normalize now num_nonnulls num_nulls ord overlay parse_ident period_diff position product quantile
    quantile_cont quantile_disc quarter range regexp_count regexp_extract regexp_extract_all regexp_full_match
    regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array
    regexp_split_to_table regexp_substr regr_count regr_slope repeat reverse right row row_to_json rpad scale
    sec_to_time second skewness split_part starts_with statement_timestamp stddev stddev_pop stddev_samp
    str_to_date strcmp string_split string_split_regex string_to_array strip_accents strpos strptime
    struct_extract struct_pack substring_index time_bucket time_to_sec timestampdiff to_base to_char to_date
    to_days to_json to_jsonb to_number to_timestamp transaction_timestamp translate truncate try_cast
    try_strptime unnest var_pop var_samp variance week weekday weekofyear width_bucket year yearweek
"""
NAMED = FUNCTIONS | frozenset(_FURTHER_NAMES.split())
"""Functions by name."""

_CLOCK_NAMES = """
    CurrentDate CurrentDatetime CurrentTime CurrentTimestamp Localtime Localtimestamp UtcDate UtcTime UtcTimestamp
    age clock_timestamp current_date current_time current_timestamp now statement_timestamp transaction_timestamp
"""
CLOCKS = frozenset(_CLOCK_NAMES.split())
"""Functions of both kinds that know the time."""
