package import MusterModel

/// What a cloud-config of RancherOS may hold: the closed schema of `ros config validate`, as the loader reads it.
///
/// RancherOS logs what is wrong with a cloud-config and goes on without it, so it is checked here.
package enum CloudConfigSchema {
    package static let fields: [ArgumentSchema] = [
        ArgumentSchema("hostname", .string, constraints: [hostname], "The machine's name."),
        ArgumentSchema("ssh_authorized_keys", .list(.string), "Public keys of those who may log in."),
        ArgumentSchema("write_files", .list(.object(file)), "Files, written before mounts and runcmd."),
        ArgumentSchema(
            "runcmd", .list(.anything),
            "Run in the console at each boot, last: a string for a shell, or a list of words without one."),
        ArgumentSchema(
            "bootcmd", .list(.anything), "Run before the state partition is mounted, in the same two forms."),
        ArgumentSchema(
            "mounts", .list(.list(.string)), "Lists of device, path, type of filesystem and options."),
        ArgumentSchema("rancher", .object(rancher), "The system itself."),
    ]

    private static let hostname = Constraint.pattern(
        #"[A-Za-z0-9]([A-Za-z0-9.\-]{0,251}[A-Za-z0-9])?"#, "only letters, digits, dots and hyphens may stand in it.")
    private static let octal = Constraint.pattern("0?[0-7]{3,4}", "it is an octal number such as 0644.")
    private static let address = Constraint.pattern(#"[0-9A-Fa-f:.]+"#, "it is an IP address without a length.")

    private static let encodings = [
        "b64", "base64", "gz", "gzip", "gz+base64", "gzip+base64", "gz+b64", "gzip+b64",
    ]

    private static let file: [ArgumentSchema] = [
        ArgumentSchema(
            "path", .string, isRequired: true, constraints: [.pattern("/.*", "it begins with a slash.")], "Where."),
        ArgumentSchema("content", .string, isRequired: true, "What."),
        ArgumentSchema("permissions", .string, constraints: [octal], "The mode, such as 0644."),
        ArgumentSchema("owner", .string, "Such as root:root."),
        ArgumentSchema("encoding", .string, constraints: [.allowed(encodings)], "How the content is written here."),
        ArgumentSchema("container", .string, "In which system container; the console if left out."),
    ]

    private static let rancher: [ArgumentSchema] = [
        ArgumentSchema(
            "console", .string, constraints: [.allowed(["default", "alpine", "centos", "debian", "fedora", "ubuntu"])],
            "The console."),
        ArgumentSchema("environment", .map(.string), "Variables for services."),
        ArgumentSchema(
            "services", .map(.object(service)),
            "Containers of the user's docker, or of the system's with the label `io.rancher.os.scope: system`."),
        ArgumentSchema("cloud_init_services", .map(.object(service)), "Services of the cloud-init phase."),
        ArgumentSchema("bootstrap", .map(.object(service)), "Services of the bootstrap phase."),
        ArgumentSchema("services_include", .map(.boolean), "Services of the catalog, on or off."),
        ArgumentSchema(
            "repositories",
            .map(.object([ArgumentSchema("url", .string, isRequired: true, "Where.")])), "Catalogs of services."),
        ArgumentSchema("modules", .list(.string), "Modules of the kernel."),
        ArgumentSchema("network", .object(network), "Interfaces and name servers."),
        ArgumentSchema("docker", .object(docker), "The docker for users."),
        ArgumentSchema("system_docker", .object(docker), "The docker of the system."),
        ArgumentSchema("bootstrap_docker", .object(docker), "The docker of the first phase."),
        ArgumentSchema(
            "cloud_init",
            .object([ArgumentSchema("datasources", .list(.string), "Such as ec2 or configdrive:/media/config-2.")]),
            "Where the configuration comes from."),
        ArgumentSchema("state", .object(state), "The partition that keeps things."),
        ArgumentSchema(
            "ssh",
            .object([
                ArgumentSchema("keys", .map(.string), "Keys of the machine."),
                ArgumentSchema("daemon", .boolean, "Whether it runs."),
                ArgumentSchema("port", .integer, constraints: [.range(1, 65_535)], "Its port."),
                ArgumentSchema("listen_address", .string, "Its address."),
            ]), "The login service."),
        ArgumentSchema(
            "upgrade",
            .object(
                ["url", "image", "rollback", "policy"].map { ArgumentSchema($0, .string, "As RancherOS has it.") }),
            "Where new versions come from."),
        ArgumentSchema(
            "registry_auths",
            .map(
                .object([
                    ArgumentSchema("username", .string, "The user."),
                    ArgumentSchema("password", .string, "The password."),
                    ArgumentSchema("auth", .string, "Both, as `user:password` in base64."),
                ])), "Logins of registries."),
        ArgumentSchema(
            "defaults",
            .object([
                ArgumentSchema("hostname", .string, "The name where nothing gives one."),
                ArgumentSchema("docker", .object(docker), "As under docker."),
                ArgumentSchema("network", .object(network), "As under network."),
            ]), "What holds where nothing is said."),
        ArgumentSchema("sysctl", .map(.string), "Settings of the kernel."),
        ArgumentSchema("resize_device", .string, "The device to grow."),
        ArgumentSchema("restart_services", .list(.string), "Services to start again."),
        ArgumentSchema("disable", .list(.string), "What is switched off."),
        ArgumentSchema("debug", .boolean, "Whether it tells more."),
        ArgumentSchema("log", .boolean, "Whether it logs."),
        ArgumentSchema("rm_usr", .boolean, "As RancherOS has it."),
        ArgumentSchema("no_sharedroot", .boolean, "As RancherOS has it."),
        ArgumentSchema("force_console_rebuild", .boolean, "Whether the console is made anew at each boot."),
        ArgumentSchema("shutdown_timeout", .integer, "Seconds that containers have to end."),
        ArgumentSchema("http_load_retries", .integer, "How often a file is asked for."),
        ArgumentSchema("preload_wait", .boolean, "Whether images are loaded before services start."),
        ArgumentSchema("hypervisor_service", .boolean, "Whether the hypervisor's tools run."),
    ]

    private static let service: [ArgumentSchema] =
        [
            ArgumentSchema("image", .string, isRequired: true, "The image."),
            ArgumentSchema("command", .anything, "What it runs: a string or a list of words."),
            ArgumentSchema("entrypoint", .anything, "What the image runs: a string or a list of words."),
            ArgumentSchema("environment", .anything, "Variables: a map, or a list of NAME=value."),
            ArgumentSchema("labels", .anything, "Labels: a map, or a list of name=value."),
            ArgumentSchema("privileged", .boolean, "Whether it may do everything."),
            ArgumentSchema("read_only", .boolean, "Whether its files cannot be written."),
            ArgumentSchema("stdin_open", .boolean, "Whether its input stays open."),
            ArgumentSchema("tty", .boolean, "Whether it has a terminal."),
            ArgumentSchema("cpu_shares", .integer, "Its share of the processor."),
            ArgumentSchema("log_opt", .map(.string), "Options of its log."),
        ]
        + [
            "volumes", "volumes_from", "links", "external_links", "ports", "expose", "cap_add", "cap_drop", "devices",
            "dns", "dns_search", "env_file", "extra_hosts", "security_opt", "ulimits",
        ].map { ArgumentSchema($0, .list(.string), "As in a compose file of version 1.") }
        + [
            "net", "pid", "ipc", "uts", "restart", "user", "hostname", "domainname", "working_dir", "log_driver",
            "volume_driver", "mem_limit", "memswap_limit", "cpuset", "container_name", "cgroup_parent",
        ].map { ArgumentSchema($0, .string, "As in a compose file of version 1.") }

    private static let network: [ArgumentSchema] = [
        ArgumentSchema(
            "dns",
            .object([
                ArgumentSchema("nameservers", .list(.string), constraints: [address], "Addresses of name servers."),
                ArgumentSchema("search", .list(.string), "Domains to search."),
            ]), "Name servers."),
        ArgumentSchema(
            "interfaces", .map(.object(interface)),
            "By name, or by any word where `match` is given. As soon as one is listed, the others get nothing."),
        ArgumentSchema("pre_cmds", .list(.string), "Run before the network is set up."),
        ArgumentSchema("post_cmds", .list(.string), "Run when it is."),
        ArgumentSchema("dhcp_timeout", .integer, constraints: [.range(0, 3600)], "In seconds."),
        ArgumentSchema("http_proxy", .string, "The proxy for HTTP."),
        ArgumentSchema("https_proxy", .string, "The proxy for HTTPS."),
        ArgumentSchema("no_proxy", .string, "What is asked without a proxy."),
        ArgumentSchema("wifi_networks", .map(.anything), "Since 1.5."),
        ArgumentSchema("modem_networks", .map(.anything), "Since 1.5."),
    ]

    private static let interface: [ArgumentSchema] = [
        ArgumentSchema("match", .string, "A name, a pattern or `mac:…`; the key if left out."),
        ArgumentSchema("dhcp", .boolean, "Whether it asks for an address; false if left out."),
        ArgumentSchema("dhcp_args", .string, "Arguments of the DHCP client."),
        ArgumentSchema("address", .string, constraints: [.cidr], "An address with the length of its network."),
        ArgumentSchema("addresses", .list(.string), constraints: [.cidr], "Several of them."),
        ArgumentSchema("gateway", .string, constraints: [address], "The gateway's address."),
        ArgumentSchema("gateway_ipv6", .string, constraints: [address], "The gateway's address of IPv6."),
        ArgumentSchema("mtu", .integer, constraints: [.range(68, 65_535)], "The longest packet."),
        ArgumentSchema("bridge", .string, "The bridge that it belongs to, or `true` for one."),
        ArgumentSchema("bond", .string, "The bond that it belongs to."),
        ArgumentSchema("bond_opts", .map(.string), "Options of the bond."),
        ArgumentSchema("vlans", .string, "`ID:name`, with commas between several."),
        ArgumentSchema("pre_up", .list(.string), "Run before it is up."),
        ArgumentSchema("post_up", .list(.string), "Run when it is."),
        ArgumentSchema("ipv4ll", .boolean, "Whether it chooses a link-local address."),
        ArgumentSchema("wifi_network", .string, "Since 1.5."),
    ]

    private static let docker: [ArgumentSchema] = [
        ArgumentSchema("engine", .string, "The engine, such as docker-17.03.2-ce."),
        ArgumentSchema(
            "args", .list(.string),
            "All arguments of the daemon. Read by RancherOS up to 0.6 only; later ones want extra_args."),
        ArgumentSchema("extra_args", .list(.string), "More arguments of the daemon."),
        ArgumentSchema("tls", .boolean, "Whether it wants certificates."),
        ArgumentSchema("tls_args", .list(.string), "Arguments for that."),
        ArgumentSchema("environment", .list(.string), "Variables of the daemon, as NAME=value."),
        ArgumentSchema("storage_context", .string, "Where its files are."),
        ArgumentSchema("exec", .boolean, "As RancherOS has it."),
        ArgumentSchema("ca_cert", .string, "The authority's certificate."),
        ArgumentSchema("ca_key", .string, "The authority's key."),
        ArgumentSchema("server_cert", .string, "The daemon's certificate."),
        ArgumentSchema("server_key", .string, "The daemon's key."),
        ArgumentSchema("host", .list(.string), "Where the daemon listens."),
        ArgumentSchema("insecure_registry", .list(.string), "Registries without a known certificate."),
        ArgumentSchema("registry_mirror", .string, "A mirror of the public registry."),
        ArgumentSchema("log_driver", .string, "How containers log."),
        ArgumentSchema("log_opts", .map(.string), "Options of that."),
        ArgumentSchema("storage_driver", .string, "How layers are kept."),
        ArgumentSchema("bridge", .string, "Its bridge."),
        ArgumentSchema("bip", .string, constraints: [.cidr], "The bridge's address."),
        ArgumentSchema("config_file", .string, "Its configuration."),
        ArgumentSchema("containerd", .string, "Where containerd listens."),
        ArgumentSchema("debug", .boolean, "Whether it tells more."),
        ArgumentSchema("exec_root", .string, "Where its state is."),
        ArgumentSchema("group", .string, "The group of its socket."),
        ArgumentSchema("graph", .string, "Where its data are."),
        ArgumentSchema("live_restore", .boolean, "Whether containers outlive it."),
        ArgumentSchema("pid_file", .string, "Where its process number is."),
        ArgumentSchema("restart", .boolean, "Whether it starts containers again."),
        ArgumentSchema("selinux_enabled", .boolean, "Whether SELinux guards it."),
        ArgumentSchema("userland_proxy", .boolean, "Whether a process forwards ports."),
    ]

    private static let state: [ArgumentSchema] =
        [
            ArgumentSchema("autoformat", .list(.string), "Devices that may be formatted."),
            ArgumentSchema("required", .boolean, "Whether there is no boot without it."),
            ArgumentSchema("wait", .boolean, "Whether it is waited for."),
            ArgumentSchema("lvm_scan", .boolean, "Whether LVM is looked for."),
            ArgumentSchema("md_scan", .boolean, "Whether RAID is looked for."),
        ]
        + [
            "dev", "fstype", "cryptsetup", "script", "boot_fstype", "oem_fstype", "oem_dev", "boot_dev", "directory",
        ].map { ArgumentSchema($0, .string, "As RancherOS has it.") }
}
