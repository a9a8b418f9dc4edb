//! Options of the oslo libraries that Python Keystone uses.

use super::super::options::{SectionMeta, accepted};

pub(super) const SECTIONS: &[SectionMeta] = accepted! {
    "DEFAULT", "Messaging, and the details of oslo.log's own formats, files and rotation. The log goes to log_file or standard error; rotation is for logrotate or journald." => {
        admin_token: Secret = None, secret = true;
        max_param_size: Integer = Some("64");
        log_config_append: Text = None, deprecated_names = &[("DEFAULT", "log_config")];
        log_date_format: Text = None;
        use_syslog: Boolean = Some("false");
        use_journal: Boolean = Some("false");
        syslog_log_facility: Text = Some("LOG_USER");
        log_color: Boolean = Some("false");
        log_rotate_interval: Integer = Some("1");
        log_rotate_interval_type: Text = Some("days");
        max_logfile_count: Integer = Some("30");
        max_logfile_size_mb: Integer = Some("200");
        log_rotation_type: Text = Some("none");
        logging_context_format_string: Text = None;
        logging_default_format_string: Text = None;
        logging_debug_format_suffix: Text = None;
        logging_exception_prefix: Text = None;
        logging_user_identity_format: Text = None;
        publish_errors: Boolean = Some("false");
        instance_format: Text = None;
        instance_uuid_format: Text = None;
        rate_limit_interval: Integer = Some("0");
        rate_limit_burst: Integer = Some("0");
        rate_limit_except_level: Text = Some("CRITICAL");
        fatal_deprecations: Boolean = Some("false");
        executor_thread_pool_size: Integer = Some("64"), deprecated_names = &[("DEFAULT", "rpc_thread_pool_size")];
        rpc_response_timeout: Integer = Some("60");
        transport_url: Secret = Some("rabbit://"), secret = true;
        control_exchange: Text = Some("keystone");
        rpc_ping_enabled: Boolean = Some("false");
    }
    "cache", "A cache outside of the process. Here caches are in memory and follow the changes; see [cache_coherence]." => {
        config_prefix: Text = Some("cache.oslo");
        expiration_time: Integer = Some("600");
        backend_expiration_time: Integer = None;
        backend: Text = Some("dogpile.cache.null");
        backend_argument: Multi = None, secret = true;
        proxies: List = Some("");
        enabled: Boolean = Some("true");
        debug_cache_backend: Boolean = Some("false");
        memcache_servers: List = Some("localhost:11211");
        memcache_dead_retry: Integer = Some("300");
        memcache_pool_maxsize: Integer = Some("10");
        memcache_pool_unused_timeout: Integer = Some("60");
        memcache_pool_connection_get_timeout: Integer = Some("10");
        memcache_pool_flush_on_reconnect: Boolean = Some("false");
        memcache_sasl_enabled: Boolean = Some("false");
        redis_server: Text = Some("localhost:6379");
        redis_db: Integer = Some("0");
        redis_sentinels: List = Some("localhost:26379");
        redis_sentinel_service_name: Text = Some("mymaster");
        username: Text = None, deprecated_names = &[("cache", "memcache_username"), ("cache", "redis_username")];
        password: Secret = None, secret = true, deprecated_names = &[("cache", "memcache_password"), ("cache", "redis_password")];
        tls_enabled: Boolean = Some("false");
        tls_cafile: Text = None;
        tls_certfile: Text = None;
        tls_keyfile: Text = None;
        tls_allowed_ciphers: Text = None;
        socket_timeout: Float = Some("1.0"), deprecated_names = &[("cache", "memcache_socket_timeout"), ("cache", "redis_socket_timeout")];
        enable_socket_keepalive: Boolean = Some("false");
        socket_keepalive_idle: Integer = Some("1");
        socket_keepalive_interval: Integer = Some("1");
        socket_keepalive_count: Integer = Some("1");
        enable_retry_client: Boolean = Some("false");
        retry_attempts: Integer = Some("2");
        retry_delay: Float = Some("0");
        hashclient_retry_attempts: Integer = Some("2");
        hashclient_retry_timeout: Float = Some("1"), deprecated_names = &[("cache", "hashclient_retry_delay")];
        hashclient_dead_timeout: Float = Some("60"), deprecated_names = &[("cache", "dead_timeout")];
    }
    "database", "Details of SQLAlchemy. Bounds of connections are in [storage]; a broken connection is replaced by itself; statements are not logged, for there are secrets in them." => {
        backend: Text = Some("sqlalchemy");
        asyncio_connection: Secret = None, secret = true;
        asyncio_slave_connection: Secret = None, secret = true;
        synchronous_reader: Boolean = Some("true");
        connection_debug: Integer = Some("0");
        connection_trace: Boolean = Some("false");
        use_db_reconnect: Boolean = Some("false");
        db_retry_interval: Integer = Some("1");
        db_inc_retry_interval: Boolean = Some("true");
        db_max_retry_interval: Integer = Some("10");
        db_max_retries: Integer = Some("20");
    }
    "healthcheck", "A health check of oslo.middleware. Here readiness is built in." => {
        detailed: Boolean = Some("false");
        backends: List = Some("");
        allowed_source_ranges: List = Some("");
        ignore_proxied_requests: Boolean = Some("false");
        disable_by_file_path: Text = None;
        disable_by_file_paths: List = Some("");
        enable_by_file_paths: List = Some("");
    }
    "memcache", "A cache outside of the process. Here caches are in memory and follow the changes; see [cache_coherence]." => {
        servers: List = Some("localhost:11211");
        dead_retry: Integer = Some("300");
        socket_timeout: Float = Some("1.0");
        pool_maxsize: Integer = Some("10");
        pool_unused_timeout: Integer = Some("60");
        pool_connection_get_timeout: Integer = Some("10");
    }
    "oslo_messaging_kafka", "Notifications over Kafka." => {
        kafka_max_fetch_bytes: Integer = Some("1048576");
        kafka_consumer_timeout: Float = Some("1.0");
        consumer_group: Text = Some("oslo_messaging_consumer");
        producer_batch_timeout: Float = Some("0.0");
        producer_batch_size: Integer = Some("16384");
        compression_codec: Text = Some("none");
        enable_auto_commit: Boolean = Some("false");
        max_poll_records: Integer = Some("500");
        security_protocol: Text = Some("PLAINTEXT");
        sasl_mechanism: Text = Some("PLAIN");
        ssl_cafile: Text = Some("");
        ssl_client_cert_file: Text = Some("");
        ssl_client_key_file: Text = Some("");
        ssl_client_key_password: Text = Some(""), secret = true;
    }
    "oslo_messaging_notifications", "Notifications over a message bus. Here they go to the log or to a file: see [notifications]." => {
        driver: Multi = None;
        transport_url: Secret = None, secret = true;
        topics: List = Some("notifications");
        retry: Integer = Some("-1");
    }
    "oslo_messaging_rabbit", "Notifications over RabbitMQ." => {
        amqp_durable_queues: Boolean = Some("false");
        amqp_auto_delete: Boolean = Some("false");
        rpc_conn_pool_size: Integer = Some("30");
        conn_pool_min_size: Integer = Some("2");
        conn_pool_ttl: Integer = Some("1200");
        ssl: Boolean = Some("false");
        ssl_version: Text = Some("");
        ssl_key_file: Text = Some("");
        ssl_cert_file: Text = Some("");
        ssl_ca_file: Text = Some("");
        ssl_enforce_hostname_verification: Boolean = Some("true");
        ssl_enforce_fips_mode: Boolean = Some("false");
        kombu_reconnect_delay: Float = Some("1.0");
        kombu_reconnect_splay: Float = Some("0.0");
        kombu_compression: Text = None;
        kombu_missing_consumer_retry_timeout: Integer = Some("60"), deprecated_names = &[("oslo_messaging_rabbit", "kombu_reconnect_timeout")];
        kombu_failover_strategy: Text = Some("round-robin");
        rabbit_login_method: Text = Some("AMQPLAIN");
        rabbit_retry_interval: Integer = Some("1");
        rabbit_retry_backoff: Integer = Some("2");
        rabbit_interval_max: Integer = Some("30");
        rabbit_ha_queues: Boolean = Some("false");
        rabbit_quorum_queue: Boolean = Some("false");
        rabbit_transient_quorum_queue: Boolean = Some("false");
        rabbit_quorum_delivery_limit: Integer = Some("0");
        rabbit_quorum_max_memory_length: Integer = Some("0");
        rabbit_quorum_max_memory_bytes: Integer = Some("0");
        rabbit_transient_queues_ttl: Integer = Some("1800");
        rabbit_qos_prefetch_count: Integer = Some("0");
        heartbeat_timeout_threshold: Integer = Some("60");
        heartbeat_rate: Integer = Some("3");
        direct_mandatory_flag: Boolean = Some("true");
        enable_cancel_on_failover: Boolean = Some("false");
        use_queue_manager: Boolean = Some("false");
        hostname: Text = None;
        processname: Text = None;
        rabbit_stream_fanout: Boolean = Some("false");
    }
    "oslo_middleware", "HTTP basic authentication of oslo.middleware." => {
        http_basic_auth_user_file: Text = Some("/etc/htpasswd");
    }
    "oslo_middleware_tracing", "Traces of oslo.middleware; here see [observability] otlp_endpoint." => {
        enabled: Boolean = Some("false");
        otlp_endpoint: Uri = Some("http://localhost:4318");
        otlp_protocol: Text = Some("http/protobuf");
        service_name: Text = None;
        sampling_rate: Float = Some("1.0");
        insecure: Boolean = Some("false");
    }
    "oslo_policy", "Checks of policies that ask another server." => {
        remote_content_type: Text = Some("application/x-www-form-urlencoded");
        remote_ssl_verify_server_crt: Boolean = Some("false");
        remote_ssl_ca_crt_file: Text = None;
        remote_ssl_client_crt_file: Text = None;
        remote_ssl_client_key_file: Text = None;
        remote_timeout: Float = Some("60");
    }
    "profiler", "OSProfiler." => {
        enabled: Boolean = Some("false"), deprecated_names = &[("profiler", "profiler_enabled")];
        trace_sqlalchemy: Boolean = Some("false");
        trace_requests: Boolean = Some("false");
        hmac_keys: Secret = Some("SECRET_KEY"), secret = true;
        connection_string: Text = Some("messaging://"), secret = true;
        es_doc_type: Text = Some("notification");
        es_scroll_time: Text = Some("2m");
        es_scroll_size: Integer = Some("10000");
        socket_timeout: Float = Some("0.1");
        sentinel_service_name: Text = Some("mymaster");
        filter_error_trace: Boolean = Some("false");
    }
    "profiler_jaeger", "OSProfiler." => {
        service_name_prefix: Text = None;
        process_tags: Dict = Some("");
    }
    "profiler_otlp", "OSProfiler." => {
        service_name_prefix: Text = None;
    }
};
